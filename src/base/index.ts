export { assert, unreachable } from './assert.ts'
export { newId } from './ids.ts'
export { Secret } from './secret.ts'
