export { PostgresEngine, type PostgresOptions } from './engine.ts'
export { appRoleOf } from './target.ts'
