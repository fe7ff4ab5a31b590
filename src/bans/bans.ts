import type { AuditTrail } from '../audit/index.ts'
import { newId } from '../base/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import type { EmitEvent } from '../events/index.ts'
import { type Ban, BanFault, type BanOrder, type BanTarget, manualOrigin } from './ban.ts'
import type { NeverBanned } from './never-banned.ts'
import { type BanRecord, deleteEnded, readBans, writeBan, writeLift } from './records.ts'
import { parseNetwork, parseTarget, requireBannable } from './target.ts'
import { checkedTerms } from './terms.ts'

/** Who is banned, for operators, detectors and the application. */
export interface Bans {
  /**
   * Bans an address (IPv6: its /64), a range or an account, on every node within a second. Whoever is banned already
   * has the ban extended: the later end counts.
   *
   * @returns the ban as it stands now
   * @throws BanFault for what cannot be understood, would hit a trusted proxy, or is in NEVER_BANNED; `UNAVAILABLE`
   * @example await server.bans.ban({ address: '203.0.113.9', reason: 'scans for backups', forMs: 3_600_000 })
   */
  ban(order: BanOrder): Promise<Ban>
  /**
   * Lifts a ban, on every node within a second.
   *
   * @param which The id of a ban, or its target.
   * @returns the ban that has been lifted; `null` when none such is in force
   * @throws BanFault for a target that cannot be understood; `UNAVAILABLE`
   * @example await server.bans.lift({ address: '203.0.113.9' })
   */
  lift(which: BanChoice, by?: BanLifting): Promise<Ban | null>
  /**
   * Bans, newest first.
   *
   * @example const { items, nextCursor } = await server.bans.list({ limit: 50 })
   */
  list(search?: BanSearch): Promise<BanPage>
}

/** Which ban. */
export type BanChoice = { readonly id: string } | BanTarget

/** Who lifts a ban, and why: for the audit trail. */
export interface BanLifting {
  readonly actorId: string
  readonly reason?: string | undefined
}

/** Which bans, and where the page begins. */
export interface BanSearch {
  /** Those in force, or ended ones too, which are kept for 30 days; `active` unless given. */
  readonly state?: 'active' | 'all'
  /** How many, 1 to 1,000; 100 unless given. */
  readonly limit?: number
  /** The cursor of the page before. */
  readonly cursor?: string | undefined
}

/** One page of bans. */
export interface BanPage {
  readonly items: readonly Ban[]
  /** `null` on the last page. */
  readonly nextCursor: string | null
}

/** What {@link TableBans} is made of. */
export interface BansParts {
  readonly db: MigrationDatabase
  readonly never: NeverBanned
  readonly trail: Pick<AuditTrail, 'transact'>
  /** Told of every row that has been committed here. */
  readonly onChange?: (record: BanRecord) => Promise<void>
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs?: () => number
}

const maxLimit = 1_000
const defaultLimit = 100
const keptMs = 30 * 86_400_000

/**
 * Bans, in the table that every node follows.
 *
 * @see OWASP ASVS 5.0 §2.4.1, §8.2.4
 */
export class TableBans implements Bans {
  readonly #parts: BansParts
  readonly #nowMs: () => number

  constructor(parts: BansParts) {
    this.#parts = parts
    this.#nowMs = parts.nowMs ?? Date.now
  }

  async ban(order: BanOrder): Promise<Ban> {
    const nowMs = this.#nowMs()
    const parsed = parseTarget(order)
    const terms = checkedTerms(order, nowMs)
    requireBannable(parsed, this.#parts.never)
    const id = newId(nowMs)
    const { kind, target } = parsed
    const isManual = terms.origin === manualOrigin
    const record = await this.#parts.trail.transact(async (trx, note) => {
      const written = await writeBan(trx, { id, kind, target, ...terms, isManual }, iso(nowMs))
      const from = written.id === id ? 'free' : 'banned'
      noteChange(note, written, { from, to: 'banned', actorId: terms.madeBy })
      return written
    })
    await this.#parts.onChange?.(record)
    return banOf(record)
  }

  async lift(which: BanChoice, by?: BanLifting): Promise<Ban | null> {
    const key = 'id' in which ? { id: String(which.id) } : parseTarget(which)
    const actorId = by?.actorId ?? null
    const record = await this.#parts.trail.transact(async (trx, note) => {
      const lifted = await writeLift(trx, key, { now: iso(this.#nowMs()), actorId })
      if (lifted !== null) noteChange(note, lifted, { from: 'banned', to: 'free', actorId, said: by?.reason })
      return lifted
    })
    if (record === null) return null
    await this.#parts.onChange?.(record)
    return banOf(record)
  }

  async list({ state = 'active', limit = defaultLimit, cursor }: BanSearch = {}): Promise<BanPage> {
    if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit)
      throw new BanFault('unfit', `A page has 1 to ${maxLimit} bans.`)
    const search = { state, limit: limit + 1, before: cursor }
    const found = await readBans(this.#parts.db, search, iso(this.#nowMs()))
    const items = found.slice(0, limit)
    return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null }
  }

  /** Forgets bans that ended 30 days ago. */
  async clean(): Promise<void> {
    await deleteEnded(this.#parts.db, iso(this.#nowMs() - keptMs))
  }
}

interface BanChange {
  readonly from: 'free' | 'banned'
  readonly to: 'free' | 'banned'
  readonly actorId: string | null
  /** Why it was lifted, where somebody has said so. */
  readonly said?: string | undefined
}

function noteChange(note: EmitEvent, record: BanRecord, { from, to, actorId, said }: BanChange): void {
  const { id, kind, target, reason, origin, expiresAt } = record
  note({
    event: 'authz_change',
    ...(kind === 'account' ? { userId: target } : {}),
    ...(actorId === null ? {} : { actorId }),
    reason: said ?? reason,
    details: { from, to, banId: id, kind, target, origin, until: expiresAt },
  })
}

/** Reads `which` of a command line: the id of a ban, an address or a range. @throws BanFault */
export function choiceOf(text: string): BanChoice {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return { id: text }
  parseNetwork(text)
  return text.includes('/') ? { range: text } : { address: text }
}

function banOf({ changedAt: _, ...ban }: BanRecord): Ban {
  return ban
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
