import { Secret } from '../base/index.ts'
import { mac } from '../crypto/index.ts'
import { type RedisFault, type RedisStore, redisStore as storeIn } from './redis/index.ts'

/** How a store in Redis is made, outside of an application of Holdfast. */
export interface RedisOptions {
  /** `redis://` or, with TLS, `rediss://`, then `[user[:password]@]host[:port][/database]`, and `?cluster=true` for a cluster. */
  readonly url: string
  /**
   * At least 32 random characters, the same on all nodes. Addresses and accounts stand in Redis as digests under it, so
   * that whoever reads Redis learns neither.
   */
  readonly secret: string
  /** How long a request waits for Redis; 25 unless given. */
  readonly timeoutMs?: number
  /** How many nodes there are at least, for an outage that begins before they could see each other; 1 unless given. */
  readonly leastNodeCount?: number
  /** Redis stopped deciding: each node goes on with its share of every limit. Once for each outage; it must not throw. */
  readonly onOutage?: (fault: RedisFault) => void
  /** Redis decides again. It must not throw. */
  readonly onRecovered?: () => void
}

const leastSecretChars = 32

/**
 * Buckets in Redis or Valkey, shared by all nodes. Never fails open: while Redis does not answer within `timeoutMs`, each
 * node decides alone with its share. The client is loaded when the first store is made.
 *
 * @throws TypeError for a URL or a secret that is none, without naming either
 * @example const store = redisStore({ url: 'redis://redis:6379', secret: process.env['LIMITS_SECRET'] ?? '' })
 * @see OWASP ASVS 5.0 §2.4.1, §13.1.3, §16.5.3
 */
export function redisStore({ url, secret, ...options }: RedisOptions): RedisStore {
  // Neither may be quoted: both are secret, and what throws here ends in a log (ASVS 16.2.5).
  if (!isRedisUrl(url))
    throw new TypeError('url is no Redis URL; write redis://HOST:PORT, or rediss:// for TLS')
  if (typeof secret !== 'string' || secret.length < leastSecretChars)
    throw new TypeError(
      `secret has fewer than ${leastSecretChars} characters; make one with: openssl rand -hex 32`,
    )
  const key = new Secret(mac(new Secret(Buffer.from(secret)), 'holdfast/limit-bucket/v1'))
  return storeIn({ url: new Secret(url), key, ...options })
}

function isRedisUrl(url: string): boolean {
  const parsed = URL.parse(url)
  if (parsed === null || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '') return false
  const isCluster = parsed.searchParams.get('cluster') === 'true'
  return /^\/?\d{0,4}$/.test(parsed.pathname) && !(isCluster && Number(parsed.pathname.slice(1)) > 0)
}
