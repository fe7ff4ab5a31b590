export type { Resource, Scope } from '../data/index.ts'
export { type Criteria, type FindRows, ScopedManager } from './manager.ts'
