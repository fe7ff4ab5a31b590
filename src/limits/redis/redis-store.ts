import { assert, newId, type Secret } from '../../base/index.ts'
import { maxCostOf } from '../algorithm.ts'
import type { LimitCheck, LimitDecision, LimitStore } from '../limit.ts'
import { memoryStore } from '../memory-store.ts'
import { wholeTimeMs } from '../whole-time.ts'
import { adjust, takeFrom } from './buckets.ts'
import { Connection } from './connection.ts'
import { faultOf, foreignStateCode, type RedisFault } from './fault.ts'
import type { Link } from './link.ts'
import { BucketNames } from './names.ts'
import { NodeCount } from './node-count.ts'
import { Refusals } from './refusals.ts'
import { Shares } from './shares.ts'
import { TakenAloneLedger } from './taken-alone.ts'
import { targetOf } from './target.ts'
import { within } from './within.ts'

/** Where the buckets live, and what happens when they cannot be reached. */
export interface RedisStoreOptions {
  /** `redis://` or, with TLS, `rediss://`, then `[user[:password]@]host[:port][/database]`, and `?cluster=true` for a cluster. */
  readonly url: Secret
  /** Whose buckets they are stands in Redis as a digest under this key. The same on all nodes. */
  readonly key: Secret<Buffer>
  /** How long a request waits for Redis; 25 unless given. */
  readonly timeoutMs?: number
  /** How many nodes there are at least, for an outage that begins before they could see each other; 1 unless given. */
  readonly leastNodeCount?: number
  /** How often a node says that it is there; 2,000 unless given. After five times as long it counts as gone. */
  readonly heartbeatMs?: number
  /** Redis stopped deciding, or could not be reached at the start. Once for each outage; it must not throw. */
  readonly onOutage?: (fault: RedisFault) => void
  /** Redis decides again. Once for each outage; it must not throw. */
  readonly onRecovered?: () => void
}

/** A store that several nodes share. */
export interface RedisStore extends LimitStore {
  /** Whether Redis decides; else this node does, with its share. */
  readonly isShared: boolean
  /** How many nodes share the limits, as far as this one knows. */
  readonly nodeCount: number
  /** When the first attempt to reach Redis is over, well or not, within a few seconds. Requests need not wait for it. */
  ready(): Promise<void>
}

const defaultTimeoutMs = 25
const defaultHeartbeatMs = 2_000
// A minute. Longer than it takes the last node to come back to a Redis that was empty.
const holdBeatCount = 30
// Far more than a request has rules; a script with many more would keep Redis from everybody else.
const checkCount = 100
// How many buckets are made good at a time after an outage: more would only queue up in the client.
const batchCount = 500

/**
 * Buckets in Redis or Valkey, shared by all nodes: one round trip for all checks of a request, decided in one step on
 * the clock of Redis.
 *
 * It never fails open and never hangs. When Redis does not answer within `timeoutMs`, each node goes on with its share
 * of every limit in its own memory, asks nothing of Redis meanwhile, and comes back by itself. What Redis has refused
 * is refused here until it could pass, for at most ten seconds without asking again.
 *
 * @see OWASP ASVS 5.0 §2.4.1, §13.1.3, §13.2.6, §15.4.2, §16.5.2, §16.5.3
 * @example const store = redisStore({ url: settings.redisUrl, key: deriveKey(settings.secret, 'limit-bucket') })
 */
export function redisStore(options: RedisStoreOptions): RedisStore {
  return new SharedBuckets(options)
}

class SharedBuckets implements RedisStore {
  readonly #timeoutMs: number
  readonly #names: BucketNames
  readonly #nodes: NodeCount
  readonly #connection: Connection
  readonly #refusals = new Refusals()
  readonly #shares = new Shares()
  // One for the whole life of the store: an outage that comes and goes gives nobody a new share each time.
  readonly #alone = memoryStore()
  readonly #takenAlone = new TakenAloneLedger()

  constructor({ url, key, onOutage, onRecovered, ...options }: RedisStoreOptions) {
    const { timeoutMs = defaultTimeoutMs, heartbeatMs = defaultHeartbeatMs, leastNodeCount = 1 } = options
    assert(timeoutMs > 0 && timeoutMs <= 10_000, 'a request waits a little for Redis')
    assert(heartbeatMs >= 10 && heartbeatMs <= 60_000, 'a node says now and then that it is there')
    assert(Number.isSafeInteger(leastNodeCount) && leastNodeCount > 0, 'there is a whole number of nodes')
    this.#timeoutMs = timeoutMs
    this.#names = new BucketNames(key)
    this.#nodes = new NodeCount(leastNodeCount, heartbeatMs * holdBeatCount)
    this.#connection = new Connection({
      target: targetOf(url),
      nodeId: newId(),
      nodes: this.#nodes,
      heartbeatMs,
      makeGood: (link) => this.#makeGood(link),
      onOutage: onOutage ?? (() => undefined),
      onRecovered: onRecovered ?? (() => undefined),
    })
  }

  get isShared(): boolean {
    return this.#connection.link !== undefined
  }

  get nodeCount(): number {
    return this.#nodes.count
  }

  ready(): Promise<void> {
    return this.#connection.firstAttempt
  }

  consume(checks: readonly LimitCheck[], nowMs: number): LimitDecision | Promise<LimitDecision> {
    const names = this.#namesOf(checks)
    const known = this.#refusals.answer(checks, names, wholeTimeMs(nowMs))
    if (known !== undefined) return known
    const { link } = this.#connection
    return link === undefined
      ? this.#consumeAlone(checks, names, nowMs)
      : this.#consumeShared(link, checks, names, nowMs)
  }

  refund(checks: readonly LimitCheck[], nowMs: number): void {
    const names = this.#namesOf(checks)
    for (const name of names) this.#refusals.forget(name)
    const { link } = this.#connection
    if (link !== undefined) {
      const given = adjust(link, 'refund', names, checks, { kind: 'redis' })
      // Nobody waits for it. What fails is lost, and the caller has a little less.
      within(this.#timeoutMs, given).catch((error: unknown) => this.#noticed(link, error))
      return
    }
    this.#alone.refund(this.#shares.of(checks, this.nodeCount), nowMs)
    for (const [index, check] of checks.entries())
      this.#takenAlone.giveBack(names[index] ?? '', check, performance.now())
  }

  refusedMs(checks: readonly LimitCheck[], nowMs: number): number {
    const waits = this.#namesOf(checks).map((name, index) => {
      const check = checks[index]
      return check === undefined ? 0 : this.#refusals.waitMs(name, check, nowMs)
    })
    const aloneMs = this.isShared ? 0 : this.#alone.refusedMs(this.#shares.of(checks, this.nodeCount), nowMs)
    return Math.max(aloneMs, ...waits)
  }

  async close(): Promise<void> {
    await this.#connection.close()
    await this.#alone.close()
  }

  async #consumeShared(
    link: Link,
    checks: readonly LimitCheck[],
    names: readonly string[],
    nowMs: number,
  ): Promise<LimitDecision> {
    try {
      const asked = takeFrom(link, names, checks, { kind: 'redis' })
      const decision = await within(this.#timeoutMs, asked)
      this.#refusals.note(checks, names, decision, nowMs)
      return decision
    } catch (error) {
      this.#noticed(link, error)
      return this.#consumeAlone(checks, names, nowMs)
    }
  }

  #consumeAlone(
    checks: readonly LimitCheck[],
    names: readonly string[],
    nowMs: number,
  ): LimitDecision | Promise<LimitDecision> {
    const decided = this.#alone.consume(this.#shares.of(checks, this.nodeCount), nowMs)
    assert(!(decided instanceof Promise), 'memory answers at once')
    if (decided.allowed)
      for (const [index, check] of checks.entries())
        this.#takenAlone.note(names[index] ?? '', check, performance.now())
    return decided
  }

  /** A failure of the server opens the breaker. One bucket that is none does not: whoever made it would open it at will. */
  #noticed(link: Link, error: unknown): void {
    const fault = faultOf(error)
    if (fault.code !== foreignStateCode) this.#connection.failed(link, fault)
  }

  /** Has Redis count what was let through without it. */
  async #makeGood(link: Link): Promise<void> {
    const taken = this.#takenAlone.all(performance.now())
    this.#takenAlone.clear()
    for (let start = 0; start < taken.length; start += batchCount) {
      const batch = taken.slice(start, start + batchCount)
      await Promise.all(batch.map(({ name, check }) => makeGoodOne(link, name, check)))
    }
  }

  #namesOf(checks: readonly LimitCheck[]): string[] {
    assertChecks(checks)
    return checks.map((check) => this.#names.of(check))
  }
}

/** The same that the store in memory demands. */
function assertChecks(checks: readonly LimitCheck[]): void {
  assert(checks.length > 0 && checks.length <= checkCount, 'a request is counted somewhere')
  const group = checks[0]?.policy.group
  for (const { policy, cost = 1 } of checks) {
    assert(policy.group === group, 'the checks of a request are of one group')
    const isPossible = Number.isInteger(cost) && cost > 0 && cost <= maxCostOf(policy)
    assert(isPossible, 'a request costs a whole number above zero, at most what the bucket holds')
  }
}

async function makeGoodOne(link: Link, name: string, check: LimitCheck): Promise<void> {
  try {
    await adjust(link, 'add', [name], [check], { kind: 'redis' })
  } catch (error) {
    if (faultOf(error).code !== foreignStateCode) throw error
  }
}
