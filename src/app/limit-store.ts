import { deriveKey } from '../crypto/index.ts'
import { type LimitStore, memoryStore, redisStore } from '../limits/index.ts'
import type { Logger } from '../observe/index.ts'
import type { Settings } from '../settings/index.ts'
import type { AppDeclaration } from './declaration.ts'

/**
 * Where requests are counted: in the memory of this node, or in Redis for all of them. A Redis that does not answer at
 * the start keeps nobody from starting: each node counts by itself until it does.
 */
export async function openLimitStore(
  { http: { rateLimits: { keyCount, redisTimeoutMs, leastNodeCount } = {} } = {} }: AppDeclaration,
  { redis, secret }: Pick<Settings, 'redis' | 'secret'>,
  logger: Logger,
): Promise<LimitStore> {
  if (redis === null) return memoryStore(keyCount === undefined ? {} : { keyCount })
  const store = redisStore({
    url: redis,
    key: deriveKey(secret, 'limit-bucket'),
    ...(redisTimeoutMs === undefined ? {} : { timeoutMs: redisTimeoutMs }),
    ...(leastNodeCount === undefined ? {} : { leastNodeCount }),
    onOutage: (err) => logger.error({ err }, 'limits are no longer shared: Redis does not answer'),
    onRecovered: () => logger.warn('limits are shared again: Redis answers'),
  })
  await store.ready()
  return store
}
