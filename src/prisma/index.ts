export type { Resource, Scope } from '../data/index.ts'
export { type PrismaExtension, type PrismaScope, rowRules } from './extension.ts'
