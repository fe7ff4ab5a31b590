import { setTimeout as delay } from 'node:timers/promises'
import { faultOf, type RedisFault } from './fault.ts'
import { beat, signOff } from './heartbeat.ts'
import { connectRedis, connectTimeoutMs, type Link } from './link.ts'
import type { NodeCount } from './node-count.ts'
import type { RedisTarget } from './target.ts'
import { within } from './within.ts'

/** What a connection is made of. */
export interface ConnectionParts {
  readonly target: RedisTarget
  readonly nodeId: string
  readonly nodes: NodeCount
  readonly heartbeatMs: number
  /** Has Redis count what was let through without it. Called before a link counts as the connection, and once after. */
  readonly makeGood: (link: Link) => Promise<void>
  readonly onOutage: (fault: RedisFault) => void
  readonly onRecovered: () => void
}

const firstPauseMs = 100
const longestPauseMs = 2_000
const closeTimeoutMs = 1_000
// A node that has missed so many heartbeats counts as gone.
const missedBeatCount = 5

/**
 * The connection to Redis, and the breaker in front of it. It has a link, or it is out: then nothing is sent but by one
 * probe in the background, which connects anew, says that this node is there, and pauses longer each time it fails.
 *
 * A link that failed once is dropped at once with all that waits on it, so nothing piles up behind a Redis that hangs.
 */
export class Connection {
  readonly #parts: ConnectionParts
  readonly #closing = new AbortController()
  readonly #firstAttempt = Promise.withResolvers<void>()
  readonly #loop: Promise<void>
  #link: Link | undefined
  #linkLost = new AbortController()
  #isOut = false

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    this.#loop = this.#run()
  }

  /** The link; `undefined` while nothing may be sent. */
  get link(): Link | undefined {
    return this.#link
  }

  /** When the first attempt is over, well or not. */
  get firstAttempt(): Promise<void> {
    return this.#firstAttempt.promise
  }

  /** A link has failed. Only the first to notice changes anything. */
  failed(link: Link, fault: RedisFault): void {
    if (this.#link !== link) return
    this.#link = undefined
    link.drop()
    this.#linkLost.abort()
    this.#tellOutage(fault)
  }

  /** Signs off and lets go, within a second. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    const link = this.#link
    this.#link = undefined
    // Both are courtesies: Redis forgets a node that says nothing, and the loop has nothing left to do.
    const goodbye = link === undefined ? this.#loop : signOff(link, this.#parts.nodeId)
    await within(closeTimeoutMs, goodbye).catch(() => undefined)
    link?.drop()
  }

  async #run(): Promise<void> {
    let failureCount = 0
    while (!this.#closing.signal.aborted) {
      const link = await this.#join()
      this.#firstAttempt.resolve()
      if (link !== undefined) {
        failureCount = 0
        await this.#stay(link)
      }
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failureCount)
      failureCount = Math.min(failureCount + 1, 10)
      // By chance, so that many nodes do not come back in step.
      await pause(pauseMs * (0.75 + Math.random() / 2), this.#closing.signal)
    }
  }

  /** One attempt to get a link that works. */
  async #join(): Promise<Link | undefined> {
    const { target, onRecovered } = this.#parts
    const lost = new AbortController()
    let link: Link | undefined
    try {
      link = await connectRedis(target, (fault) => {
        lost.abort()
        if (link !== undefined) this.failed(link, fault)
      })
      this.#parts.nodes.hold(performance.now())
      await this.#beat(link)
      await this.#makeGood(link)
      if (this.#closing.signal.aborted || lost.signal.aborted) throw faultOf(undefined)
    } catch (error) {
      link?.drop()
      if (!this.#closing.signal.aborted) this.#tellOutage(faultOf(error))
      return undefined
    }
    const joined = link
    this.#link = joined
    this.#linkLost = lost
    // What was let through while the rest was made good.
    this.#makeGood(joined).catch((error: unknown) => this.failed(joined, faultOf(error)))
    if (this.#isOut) {
      this.#isOut = false
      onRecovered()
    }
    return link
  }

  /** Says that this node is there, again and again, until the link is lost. */
  async #stay(link: Link): Promise<void> {
    const until = AbortSignal.any([this.#closing.signal, this.#linkLost.signal])
    while (!until.aborted) {
      await pause(this.#parts.heartbeatMs, until)
      if (until.aborted) return
      await this.#beat(link).catch((error: unknown) => this.failed(link, faultOf(error)))
    }
  }

  async #beat(link: Link): Promise<void> {
    const { nodeId, nodes, heartbeatMs } = this.#parts
    const seenCount = await within(connectTimeoutMs, beat(link, nodeId, heartbeatMs * missedBeatCount))
    nodes.seen(seenCount, performance.now())
  }

  async #makeGood(link: Link): Promise<void> {
    await within(connectTimeoutMs, this.#parts.makeGood(link))
  }

  #tellOutage(fault: RedisFault): void {
    if (this.#isOut) return
    this.#isOut = true
    this.#parts.onOutage(fault)
  }
}

/** Waits, or until it is called off. A process that has nothing else to do ends meanwhile. */
async function pause(pauseMs: number, until: AbortSignal): Promise<void> {
  await delay(pauseMs, undefined, { signal: until, ref: false }).catch(() => undefined)
}
