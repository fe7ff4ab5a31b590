// The door of `holdfast/limits`: rate limits without the rest, for Express, Nest, Fastify or a server of one's own. What
// is loaded through it is a part of this folder, base, crypto and errors; a test holds that.
export { createLimiter, type LimiterOptions } from './create-limiter.ts'
export {
  type ExpressLike,
  type ExpressLikeReply,
  type ExpressLimits,
  expressLimits,
} from './express.ts'
export type { FieldStyle } from './fields.ts'
export type { GuardOptions, LimitedReply, Refusal } from './guard.ts'
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
export type { Limiter, LimitOutcome, LimitRequest } from './limiter.ts'
export { type MemoryStoreOptions, memoryStore } from './memory-store.ts'
export { type LimitChoices, limitKey, per, type Window } from './per.ts'
export { type RedisOptions, redisStore } from './plain-redis-store.ts'
export { type FastifyLimitsOptions, fastifyLimits } from './plugin.ts'
export type { LimitPolicy } from './policy.ts'
export type { RedisFault, RedisStore } from './redis/index.ts'
