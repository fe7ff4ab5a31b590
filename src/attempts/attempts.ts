import { addressKey, networkKey, normaliseAddress, type Secret } from '../base/index.ts'
import { mac } from '../crypto/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import { type LimitCheck, type LimitStore, monotonicMs, per, policyOf } from '../limits/index.ts'
import { FailureCounters } from './counters.ts'
import type { DeviceCookies } from './device-cookies.ts'
import { accountRule, ceilingCount, deviceRule, knownRule } from './growth.ts'

/** Somebody is about to try a password. */
export interface AttemptRequest {
  /** The address of the account in its one spelling, whether there is such an account or not. */
  readonly account: string
  /** The client's address. */
  readonly address: string
  /** The device cookie, whatever it holds. */
  readonly device: string | undefined
}

/** An attempt that has been let through, and counts as failed until it is said to have succeeded. */
export interface Attempt {
  /** How many had failed in a row before. */
  readonly failedBeforeCount: number
  /** True when this failure was the last that the password bears. One attempt of an account has it, and no other. */
  readonly isLast: boolean
  /**
   * The password was right: the rows of failures that this ends are ended. Never that of the client's address, or
   * whoever has one account could guess at all others.
   *
   * @param db In the transaction of what the password lets happen, where there is one.
   */
  succeeded(db?: MigrationDatabase): Promise<void>
  /** Nothing was tried after all: the turn goes back. */
  abandoned(): Promise<void>
}

/** What {@link LoginAttempts} is made of. */
export interface AttemptsParts {
  readonly db: MigrationDatabase
  /** Derived for `login-attempts`. */
  readonly key: Secret<Buffer>
  readonly devices: DeviceCookies
  readonly limits: LimitStore
  /** The time; of the limits by address too, which otherwise have a clock that cannot step back. */
  readonly nowMs?: () => number
  /** About how many counters are kept; 500,000 unless given, some 100 MB. */
  readonly rowCount?: number
}

// A network of honest people behind one address logs in on new devices less often than this.
const group = { group: 'sign-in', outage: 'strict' } as const
const byAddress = policyOf(per('15 minutes', 100), { name: 'sign-in address', ...group })
const byNetwork = policyOf(per('15 minutes', 1_000), { name: 'sign-in network', ...group })
const byPair = policyOf(per('15 minutes', 30), { name: 'sign-in pair', ...group })
// A known device takes from no bucket that a stranger behind its address can empty. It has one of its own, so that
// not even right passwords keep the server hashing.
const byDevice = policyOf(per('15 minutes', 30), { name: 'sign-in device', ...group })

const defaultRowCount = 500_000
const cleanEvery = 500

/**
 * Limits on tried passwords. Each is counted before anything is hashed, as a failure: by address, network, and
 * address with account in memory; by account, or by a device that the account knows, in the database.
 *
 * @see NIST SP 800-63B-4 §3.2.2; OWASP ASVS 5.0 §6.1.1, §6.3.1; docs/guide/sign-in-limits.md
 */
export class LoginAttempts {
  readonly #parts: AttemptsParts
  readonly #counters: FailureCounters
  readonly #nowMs: () => number
  readonly #steadyMs: () => number
  #sinceCleaned = 0

  constructor(parts: AttemptsParts) {
    this.#parts = parts
    this.#counters = new FailureCounters(parts.db, parts.rowCount ?? defaultRowCount)
    this.#nowMs = parts.nowMs ?? Date.now
    this.#steadyMs = parts.nowMs ?? monotonicMs
  }

  /**
   * Counts an attempt as failed, or refuses it. An account that does not exist is counted in the same way.
   *
   * @throws QUOTA_EXCEEDED with `Retry-After`, also for the right password: otherwise guessing would go on
   * @example
   * const attempt = await attempts.begin({ account: 'ann@example.com', address, device })
   * if (await isRight(password)) await attempt.succeeded()
   */
  async begin({ account, address, device }: AttemptRequest): Promise<Attempt> {
    this.#cleanSometimes()
    const deviceId = this.#parts.devices.verify(device, account)?.deviceId
    const known = this.#key(['known devices', account])
    const ends = [known, ...(deviceId === undefined ? [] : [this.#key(['device', account, deviceId])])]
    const [, ofDevice] = ends
    if (ofDevice !== undefined) {
      const attempt = await this.#beginKnown(ofDevice, known)
      if (attempt !== null) return attempt
    }
    await this.#requireRoom(account, address)
    const key = this.#key(['account', account])
    const turn = await this.#counters.take(key, accountRule, this.#nowMs())
    if (!turn.isTaken) throw tooMany(turn.waitMs)
    return {
      failedBeforeCount: turn.failedCount - 1,
      isLast: turn.failedCount === ceilingCount,
      // The device has shown the password, so it is known again too.
      succeeded: (db) => this.#counters.end([key, ...ends], db),
      abandoned: () => this.#counters.giveBack(key, turn.takenAtMs),
    }
  }

  /** Ends the rows of failures of an account: its password is a new one. @param db In the transaction of that. */
  async clear(account: string, db: MigrationDatabase): Promise<void> {
    await this.#counters.end([this.#key(['account', account]), this.#key(['known devices', account])], db)
  }

  /** Forgets what is long past, and what is too much. */
  async clean(): Promise<void> {
    await this.#counters.clean(this.#nowMs())
  }

  /**
   * An attempt on a known device: strangers can neither make it wait nor lock it out.
   *
   * @returns `null` when it has failed too often, and counts as unknown
   * @throws QUOTA_EXCEEDED when it only has to wait
   */
  async #beginKnown(device: string, known: string): Promise<Attempt | null> {
    await this.#consume([{ policy: byDevice, key: `device:${device}` }])
    const nowMs = this.#nowMs()
    const turn = await this.#counters.take(device, deviceRule, nowMs)
    if (!turn.isTaken && turn.isAtCeiling) return null
    if (!turn.isTaken) throw tooMany(turn.waitMs)
    const shared = await this.#counters.take(known, knownRule, nowMs)
    if (!shared.isTaken) {
      await this.#counters.giveBack(device, nowMs)
      return null
    }
    return {
      failedBeforeCount: turn.failedCount - 1,
      isLast: false,
      // What strangers have tried stays counted: the owner's own daily login would give them a fresh start each day.
      succeeded: (db) => this.#counters.end([device, known], db),
      abandoned: async () => {
        await this.#counters.giveBack(device, nowMs)
        await this.#counters.giveBack(known, nowMs)
      },
    }
  }

  async #requireRoom(account: string, address: string): Promise<void> {
    // Once more, so that no caller who forgets it gives each spelling of an address a bucket of its own
    // (CVE-2026-45364, CVE-2026-30827).
    const normal = normaliseAddress(address) ?? ''
    const key = addressKey(normal)
    await this.#consume([
      { policy: byAddress, key: `address:${key}` },
      { policy: byNetwork, key: `network:${networkKey(normal)}` },
      { policy: byPair, key: `pair:${this.#key([key, account])}` },
    ])
  }

  async #consume(checks: readonly LimitCheck[]): Promise<void> {
    const decision = await this.#parts.limits.consume(checks, this.#steadyMs())
    if (!decision.allowed) throw tooMany(decision.retryAfterMs)
  }

  /** What counters are named: the table tells nobody who has tried to log in. */
  #key(parts: readonly string[]): string {
    return mac(this.#parts.key, JSON.stringify(parts)).toString('base64url')
  }

  #cleanSometimes(): void {
    this.#sinceCleaned += 1
    if (this.#sinceCleaned < cleanEvery) return
    this.#sinceCleaned = 0
    void this.clean().catch(() => undefined)
  }
}

function tooMany(waitMs: number): Problem {
  return new Problem('QUOTA_EXCEEDED', 'too many failed attempts', {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) },
  })
}
