import { deriveKey } from '../crypto/index.ts'
import { type LimitStore, memoryStore, redisStore, SharedPlaces, sharedStore } from '../limits/index.ts'
import type { Logger } from '../observe/index.ts'
import type { Settings } from '../settings/index.ts'
import type { WorkerSeat } from '../workers/index.ts'
import type { AppDeclaration } from './declaration.ts'

/** Where requests are counted. */
export interface OpenLimits {
  readonly store: LimitStore
  /** Whether Redis answers; `null` where there is none. */
  readonly isRedisUp: () => boolean | null
}

/**
 * Where requests are counted: in the memory of this node, all of its workers together, or in Redis for all nodes. A Redis that does not answer at
 * the start keeps nobody from starting: each node counts by itself until it does.
 */
export async function openLimitStore(
  { http: { rateLimits: { keyCount, redisTimeoutMs, leastNodeCount } = {} } = {} }: AppDeclaration,
  { redis, secret }: Pick<Settings, 'redis' | 'secret'>,
  logger: Logger,
  worker?: WorkerSeat,
): Promise<OpenLimits> {
  if (redis === null) {
    const size = keyCount === undefined ? {} : { keyCount }
    const store = worker === undefined ? memoryStore(size) : sharedStore({ ...size, memory: worker.memory })
    return { store, isRedisUp: () => null }
  }
  let isUp = true
  const store = redisStore({
    url: redis,
    key: deriveKey(secret, 'limit-bucket'),
    ...(redisTimeoutMs === undefined ? {} : { timeoutMs: redisTimeoutMs }),
    ...(leastNodeCount === undefined ? {} : { leastNodeCount }),
    onOutage(err) {
      isUp = false
      logger.error({ err }, 'limits are no longer shared: Redis does not answer')
    },
    onRecovered() {
      isUp = true
      logger.warn('limits are shared again: Redis answers')
    },
  })
  await store.ready()
  return { store: worker === undefined ? store : withPlaces(store, worker), isRedisUp: () => isUp }
}

/** What is under way is counted on each node; the workers of a node count together. */
function withPlaces(store: LimitStore, { memory }: WorkerSeat): LimitStore {
  return {
    consume: (checks, nowMs) => store.consume(checks, nowMs),
    refund: (checks, nowMs) => store.refund(checks, nowMs),
    refusedMs: (checks, nowMs) => store.refusedMs(checks, nowMs),
    placesFor: (name) => new SharedPlaces(name, memory),
    close: () => store.close(),
  }
}
