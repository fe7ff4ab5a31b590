import { assert, Secret } from '../../base/index.ts'

/** Where Redis is, and how to log in there. */
export interface RedisTarget {
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly password: Secret | undefined
  /** The number of the database as it stands in the URL; a cluster has none. */
  readonly database: string
  readonly isTls: boolean
  readonly isCluster: boolean
}

/**
 * Reads `redis[s]://[user[:password]@]host[:port][/database][?cluster=true]`. The client could read it too, but an
 * invalid URL would then be quoted in its error, password and all.
 *
 * @throws AssertionError for what is no such URL; the settings have checked it.
 */
export function targetOf(url: Secret): RedisTarget {
  const parsed = URL.parse(url.reveal())
  assert(parsed !== null && /^rediss?:$/.test(parsed.protocol), 'the URL of Redis has been checked')
  const database = parsed.pathname.slice(1)
  const isCluster = parsed.searchParams.get('cluster') === 'true'
  assert(/^\d{0,4}$/.test(database), 'the database of a Redis URL is a number')
  assert(!isCluster || Number(database) === 0, 'a Redis Cluster has one database')
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(parsed.port || 6379),
    username: parsed.username === '' ? undefined : decodeURIComponent(parsed.username),
    password: parsed.password === '' ? undefined : new Secret(decodeURIComponent(parsed.password)),
    database,
    isTls: parsed.protocol === 'rediss:',
    isCluster,
  }
}
