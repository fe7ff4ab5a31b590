export { type CountedClass, type CountedRule, checksOf, countedClass } from './counted-class.ts'
export { Delays } from './delays.ts'
export { type FieldStyle, limitFields } from './fields.ts'
export type {
  BucketState,
  LimitAlgorithm,
  LimitBy,
  LimitCheck,
  LimitClass,
  LimitDecision,
  LimitKey,
  LimitRule,
  LimitStore,
  LimitSubject,
} from './limit.ts'
export { Limiter, type LimiterParts, type LimitOutcome, type LimitRequest, monotonicMs } from './limiter.ts'
export { type MemoryStoreOptions, memoryStore } from './memory-store.ts'
export { type LimitChoices, limitKey, per, type Window } from './per.ts'
export { type LimitPolicy, type PolicyPlace, policyOf } from './policy.ts'
export {
  type CountClaim,
  type CountDelta,
  RedisFault,
  type RedisStore,
  type RedisStoreOptions,
  redisCounts,
  redisStore,
  type SharedCounts,
  type SharedCountsOptions,
} from './redis/index.ts'
export { crowdedProblem, quotaProblem } from './refusal.ts'
export { ReplyEnd } from './reply-end.ts'
export { SharedLocks } from './shared-locks.ts'
export type { SharedMemory, SharedRegion } from './shared-memory.ts'
export { SharedPlaces } from './shared-places.ts'
export { type SharedStoreOptions, sharedStore } from './shared-store.ts'
