import type { Secret } from '../../base/index.ts'
import { mac } from '../../crypto/index.ts'
import { faultOf, RedisFault } from './fault.ts'
import { connectRedis, type Link } from './link.ts'
import { run, scriptOf } from './script.ts'
import { type RedisTarget, targetOf } from './target.ts'
import { within } from './within.ts'

/** What one node has counted of one subject since it last said so. */
export type CountDelta = CountedMore | DifferentMore

/** So many more signals. */
export interface CountedMore {
  readonly kind: 'signals'
  /** What is counted: the name of a detector. */
  readonly series: string
  readonly subject: string
  readonly windowMs: number
  readonly amountCount: number
}

/** These values were seen, perhaps not for the first time. */
export interface DifferentMore {
  readonly kind: 'different'
  readonly series: string
  readonly subject: string
  readonly windowMs: number
  readonly values: readonly string[]
  /** How many different values are remembered; the latest stay. */
  readonly mostCount: number
}

/** What only one node may tell, within a time. */
export interface CountClaim {
  readonly series: string
  readonly subject: string
  readonly forMs: number
}

/** Counts that all nodes share. */
export interface SharedCounts {
  /** Adds, and gives what all nodes have counted within the windows, in the order of the deltas. @throws RedisFault */
  add(deltas: readonly CountDelta[]): Promise<readonly number[]>
  /** Whether this node is the first that claims it within its time. @throws RedisFault */
  claim(claim: CountClaim): Promise<boolean>
  /** When the first attempt to reach Redis is over, well or not. */
  ready(): Promise<void>
  close(): Promise<void>
}

/** Where they are. */
export interface SharedCountsOptions {
  /** As `redisStore` takes it. */
  readonly url: Secret
  /** What is counted stands in Redis as a digest under this key. The same on all nodes. */
  readonly key: Secret<Buffer>
  /** How long an answer is waited for; 1,000 unless given. No request waits for it. */
  readonly timeoutMs?: number
  /** Redis could not be reached. Once for each outage; it must not throw. */
  readonly onOutage?: (fault: RedisFault) => void
  readonly onRecovered?: () => void
}

const defaultTimeoutMs = 1_000
const pauseMs = 2_000
const sliceCount = 12
// How many keys one run of the script has at most: Redis does nothing else meanwhile.
const keyCount = 100
const valueCount = 1_000

// Signals: a hash of slices of the window. Different values: a sorted set of digests by when they were last seen, so
// that it is exact, slides, and is never larger than what it may hold.
const addition = scriptOf(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at, totals = 1, {}
for i, key in ipairs(KEYS) do
  local kind, window, most, count = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  at = at + 4
  if kind == 'signals' then
    local slice = math.floor(now * ${sliceCount} / window)
    if count > 0 then redis.call('HINCRBY', key, string.format('%d', slice), count) end
    local sum, slices = 0, redis.call('HGETALL', key)
    for place = 1, #slices, 2 do
      if tonumber(slices[place]) <= slice - ${sliceCount} then redis.call('HDEL', key, slices[place])
      else sum = sum + tonumber(slices[place + 1]) end
    end
    totals[i] = sum
  else
    for place = at, at + count - 1 do redis.call('ZADD', key, now, ARGV[place]) end
    at = at + count
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
    redis.call('ZREMRANGEBYRANK', key, 0, -most - 1)
    totals[i] = redis.call('ZCARD', key)
  end
  redis.call('PEXPIRE', key, window)
end
return totals
`)

/**
 * Counts in Redis or Valkey that all nodes share, for detectors. No request waits for them, and without Redis they fail
 * at once: whoever counts goes on by itself.
 *
 * Who is counted, and what is counted of them, stands there as digests under a key: whoever can read Redis learns no
 * address, no account and no path. Each key ends with its window.
 *
 * @see OWASP ASVS 5.0 §13.2.6, §14.2.7, §16.5.2
 * @example const shared = redisCounts({ url: settings.redisUrl, key: deriveKey(settings.secret, 'detection-count') })
 */
export function redisCounts(options: SharedCountsOptions): SharedCounts {
  const { key, timeoutMs = defaultTimeoutMs } = options
  const connection = new LazyLink(options)
  const asked = async <T>(work: (link: Link) => Promise<T>): Promise<T> => {
    const { link } = connection
    if (link === undefined) throw new RedisFault('Redis cannot be reached.', 'OUT')
    try {
      return await within(timeoutMs, work(link))
    } catch (error) {
      const fault = faultOf(error)
      // A key that somebody has put there says nothing about the server.
      if (fault.code !== 'WRONGTYPE') connection.failed(link, fault)
      throw fault
    }
  }
  return {
    add: (deltas) => asked((link) => addAll(link, key, deltas)),
    claim: ({ series, subject, forMs }) =>
      asked(async (link) => {
        const name = nameOf(key, `${series}/claim`, subject)
        const reply = await link.send(name, ['SET', name, '1', 'PX', String(Math.ceil(forMs)), 'NX'])
        return reply === 'OK'
      }),
    ready: () => connection.firstAttempt,
    close: async () => connection.close(),
  }
}

/**
 * A link that is made in the background, and anew some time after it was lost. It is none of the connection of the
 * limits: that one says that a node is there, and a second of it would be a second node, with half of every limit.
 */
class LazyLink {
  readonly #options: SharedCountsOptions
  readonly #target: RedisTarget
  #link: Link | undefined
  #attempt: Promise<void>
  #retryMs = 0
  #isConnecting = false
  #isOut = false
  #isClosed = false

  constructor(options: SharedCountsOptions) {
    this.#options = options
    this.#target = targetOf(options.url)
    this.#attempt = this.#connect()
  }

  /** When the attempt under way is over, well or not. */
  get firstAttempt(): Promise<void> {
    return this.#attempt
  }

  /** The link; without one, the next attempt begins when its time has come. */
  get link(): Link | undefined {
    const isDue = this.#link === undefined && !this.#isConnecting && performance.now() >= this.#retryMs
    if (isDue && !this.#isClosed) this.#attempt = this.#connect()
    return this.#link
  }

  failed(link: Link, fault: RedisFault): void {
    if (this.#link !== link) return
    this.#link = undefined
    link.drop()
    this.#lost(fault)
  }

  close(): void {
    this.#isClosed = true
    this.#link?.drop()
    this.#link = undefined
  }

  async #connect(): Promise<void> {
    this.#isConnecting = true
    let made: Link | undefined
    try {
      made = await connectRedis(this.#target, (fault) => {
        if (made !== undefined) this.failed(made, fault)
      })
      if (this.#isClosed) made.drop()
      else this.#link = made
      if (this.#isOut) this.#options.onRecovered?.()
      this.#isOut = false
    } catch (error) {
      if (!this.#isClosed) this.#lost(faultOf(error))
    } finally {
      this.#isConnecting = false
    }
  }

  #lost(fault: RedisFault): void {
    this.#retryMs = performance.now() + pauseMs
    if (this.#isOut) return
    this.#isOut = true
    this.#options.onOutage?.(fault)
  }
}

/** One script for each series, since all keys of a script are in one slot of a cluster, and for each hundred keys. */
async function addAll(
  link: Link,
  key: Secret<Buffer>,
  deltas: readonly CountDelta[],
): Promise<readonly number[]> {
  const totals: number[] = deltas.map(() => 0)
  const bySeries = Map.groupBy(deltas.keys(), (place) => deltas[place]?.series ?? '')
  const batches = [...bySeries.values()].flatMap((places) => chunks(places, keyCount))
  await Promise.all(
    batches.map(async (places) => {
      const batch = places.flatMap((place) => deltas[place] ?? [])
      const names = batch.map(({ series, subject }) => nameOf(key, series, subject))
      const reply = await run(
        link,
        addition,
        names,
        batch.flatMap((delta) => valuesOf(key, delta)),
      )
      if (!Array.isArray(reply)) throw new RedisFault('Redis gave an answer that is none.', 'REPLY')
      for (const [index, place] of places.entries()) totals[place] = Number(reply[index] ?? 0)
    }),
  )
  return totals
}

function valuesOf(key: Secret<Buffer>, delta: CountDelta): readonly string[] {
  const windowMs = String(Math.ceil(delta.windowMs))
  if (delta.kind === 'signals') return ['signals', windowMs, '0', String(delta.amountCount)]
  const values = delta.values.slice(-valueCount).map((value) => digestOf(key, delta.series, value, 9))
  return ['different', windowMs, String(delta.mostCount), String(values.length), ...values]
}

function nameOf(key: Secret<Buffer>, series: string, subject: string): string {
  return `hf:{detect:${series}}:${digestOf(key, series, subject, 16)}`
}

/** The length in front keeps any two pairs of series and text apart. */
function digestOf(key: Secret<Buffer>, series: string, text: string, byteCount: number): string {
  return mac(key, `${series.length}:${series}${text}`).toString('base64url', 0, byteCount)
}

function chunks<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  )
}
