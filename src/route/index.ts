export {
  type Access,
  type AccessRule,
  type Caller,
  isAccess,
  type KnownAccess,
  type Nobody,
  openAccess,
  type Principal,
  partsOf,
  roleAccess,
  type SessionFacts,
  signedInAccess,
} from './access.ts'
export {
  type Address,
  isSafe,
  type Method,
  type ParameterOf,
  type ParsedAddress,
  parseAddress,
} from './address.ts'
export { type Decision, decide, decider } from './decide.ts'
export { type DefaultLimit, defaultLimitClasses } from './default-limits.ts'
export type { Exchange, ReplyCookie } from './exchange.ts'
export { examineAdoption } from './gate/adoption.ts'
export { type Examination, type ExaminedRoute, examineRoute } from './gate/examine.ts'
export { examineOverlap } from './gate/overlap.ts'
export { BootError, type GateRule, type Violation } from './gate/violation.ts'
export { examineVocabulary, isReason } from './gate/vocabulary.ts'
export type {
  LimitAlgorithm,
  LimitBy,
  LimitClass,
  LimitKey,
  LimitRule,
  LimitSubject,
  SlowDown,
} from './limit-class.ts'
export type { CostOf, NamedLimit, RouteCost } from './limit-of.ts'
export { noContent } from './no-content.ts'
export { ownRoute } from './own-route.ts'
export { type Place, placeAbove, placeText } from './place.ts'
export type {
  AccessPlan,
  LimitPlan,
  LimitRulePlan,
  Plan,
  ResourcePlan,
  RoutePlan,
  SettingPlan,
} from './plan.ts'
export { accessPlan, limitPlan, resourcePlan, routePlan } from './plan-of.ts'
export {
  type Context,
  callHandler,
  type HandlerContext,
  type Result,
  type Route,
  type RouteRecord,
  type RouteSpec,
  type RowGiven,
  recordOf,
  type SpecCheck,
} from './route.ts'
export { type TablesOf, type Vocabulary, type Words, words } from './words.ts'
