import { addressKey } from '../base/index.ts'
import type { Hasher } from './counts.ts'

/** Who uses a session, and from where. */
export interface SessionUse {
  readonly sessionId: string
  /** Normalised. */
  readonly address: string
  readonly userAgent: string
  readonly atMs: number
}

interface Known {
  address: string
  readonly agent: number
  lastMs: number
}

const windowMs = 3_600_000
const touchMs = 60_000

/**
 * Finds sessions that are used from another network and with another kind of browser than just before. One of both is
 * honest: a phone leaves the house, a browser is updated. The versions in a user agent do not count.
 *
 * Of a session it remembers an address and a hash; the sessions that were silent for the longest are forgotten first.
 *
 * @see OWASP AppSensor SE5, SE6; OWASP ASVS 5.0 §7.4
 */
export class SessionWatch {
  readonly #mostCount: number
  readonly #hash: Hasher
  // In the order of their last use, give or take a minute.
  readonly #sessions = new Map<string, Known>()

  constructor(mostCount: number, hash: Hasher) {
    this.#mostCount = mostCount
    this.#hash = hash
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  /** Whether the session has moved. */
  sees({ sessionId, address, userAgent, atMs }: SessionUse): boolean {
    const known = this.#sessions.get(sessionId)
    if (known !== undefined && known.address === address && atMs - known.lastMs < touchMs) return false
    if (known === undefined || atMs - known.lastMs > windowMs) {
      this.#keep(sessionId, { address, agent: this.#kindOf(userAgent), lastMs: atMs })
      return false
    }
    const isElsewhere = known.address !== address && addressKey(known.address) !== addressKey(address)
    // The first one stays what the others are held against: a thief must not become the owner by going on.
    if (isElsewhere && this.#kindOf(userAgent) !== known.agent) return true
    known.address = address
    known.lastMs = atMs
    this.#keep(sessionId, known)
    return false
  }

  #keep(sessionId: string, known: Known): void {
    this.#sessions.delete(sessionId)
    this.#sessions.set(sessionId, known)
    if (this.#sessions.size <= this.#mostCount) return
    const [oldest] = this.#sessions.keys()
    if (oldest !== undefined) this.#sessions.delete(oldest)
  }

  #kindOf(userAgent: string): number {
    return this.#hash(userAgent.replace(/[\d._]+/g, ''))
  }
}
