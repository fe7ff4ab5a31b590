export { RedisFault } from './fault.ts'
export { type RedisStore, type RedisStoreOptions, redisStore } from './redis-store.ts'
export {
  type CountClaim,
  type CountDelta,
  type CountedMore,
  type DifferentMore,
  redisCounts,
  type SharedCounts,
  type SharedCountsOptions,
} from './shared-counts.ts'
