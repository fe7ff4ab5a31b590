import { deriveKey } from '../crypto/index.ts'
import { type LimitStore, memoryStore, redisStore } from '../limits/index.ts'
import type { Logger } from '../observe/index.ts'
import type { Settings } from '../settings/index.ts'
import type { AppDeclaration } from './declaration.ts'

/** Where requests are counted. */
export interface OpenLimits {
  readonly store: LimitStore
  /** Whether Redis answers; `null` where there is none. */
  readonly isRedisUp: () => boolean | null
}

/**
 * Where requests are counted: in the memory of this node, or in Redis for all of them. A Redis that does not answer at
 * the start keeps nobody from starting: each node counts by itself until it does.
 */
export async function openLimitStore(
  { http: { rateLimits: { keyCount, redisTimeoutMs, leastNodeCount } = {} } = {} }: AppDeclaration,
  { redis, secret }: Pick<Settings, 'redis' | 'secret'>,
  logger: Logger,
): Promise<OpenLimits> {
  if (redis === null)
    return { store: memoryStore(keyCount === undefined ? {} : { keyCount }), isRedisUp: () => null }
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
  return { store, isRedisUp: () => isUp }
}
