export {
  type Adoption,
  type AdoptionTerms,
  type App,
  type AppDeclaration,
  adopt,
  type BootOptions,
  createApp,
  type HttpOptions,
  type IdentitySource,
  type Plugin,
  type Server,
  testIdentity,
  testToken,
} from './app/index.ts'
export { newId, Secret } from './base/index.ts'
export {
  allOf,
  anyCaller,
  anyOf,
  type ColumnOperator,
  callerHas,
  callerIs,
  DatabaseFault,
  type Explanation,
  granted,
  type Migration,
  type MigrationDatabase,
  type MigrationReport,
  type Page,
  type PageRequest,
  type Pager,
  type Resource,
  type ResourceDeclaration,
  type RowAction,
  type RowRule,
  resource,
  type ServerFill,
  shared,
  through,
  type Verdict,
  where,
} from './data/index.ts'
export {
  type InputFault,
  Problem,
  type ProblemBody,
  type ProblemCode,
  type ProblemDetails,
} from './errors/index.ts'
export { type DevelopmentPerson, developmentUserId, type Identify } from './identity/index.ts'
export { type KeyEncryption, rootKeyEncryption } from './keys/index.ts'
export { per, type Window } from './limits/index.ts'
export { createLogger, type Logger, type LogLevel } from './observe/index.ts'
export {
  type Access,
  type AccessPlan,
  type Address,
  BootError,
  type Caller,
  type Context,
  type KnownAccess,
  type LimitClass,
  noContent,
  type Plan,
  type Principal,
  type ResourcePlan,
  type Route,
  type RoutePlan,
  type RouteSpec,
  type Violation,
  type Vocabulary,
  type Words,
  words,
} from './route/index.ts'
export type { InputOf, JsonSchema, OutputOf, Schema } from './schema/index.ts'
export { type Settings, SettingsFault } from './settings/index.ts'
