import { BanFault, type neverBanned, TableBans } from '../bans/index.ts'
import { Problem } from '../errors/index.ts'
import { type RefusalReason, ResponseRefusal } from './response.ts'
import type { ResponseTransaction } from './transaction.ts'

/** What responses do outside of their own table. Each writes in the transaction that it is given. */
export interface ResponseActions extends AccountActions, BanActions {}

/** What responses do to accounts. */
export interface AccountActions {
  /**
   * Holds the order of those who take administrators away, and refuses to lock the last of them.
   *
   * @param locked The accounts that are locked by now: they cannot stand in.
   * @throws ResponseRefusal `last-administrator`, `unknown-target`
   */
  requireLockable(
    tx: ResponseTransaction,
    userId: string,
    locked: () => Promise<ReadonlySet<string>>,
  ): Promise<void>
  /**
   * Ends every session of an account, or one session.
   *
   * @throws ResponseRefusal `unknown-target`
   */
  revokeSessions(
    tx: ResponseTransaction,
    target: { readonly account: string } | { readonly session: string },
    by: { readonly detector: string },
  ): Promise<void>
}

/** What responses do to bans. */
export interface BanActions {
  /** Whether an address is of a trusted proxy, or of `NEVER_BANNED`. */
  isProtected(address: string): boolean
  /**
   * Bans an address or an account, or extends its ban.
   *
   * @returns the id of the ban
   * @throws BanFault for what must not be banned
   */
  ban(
    tx: ResponseTransaction,
    target: { readonly address: string } | { readonly account: string },
    terms: BanActionTerms,
  ): Promise<string>
  /**
   * Lifts a ban.
   *
   * @returns false when it is not in force
   * @throws KeptBan for one that a person has made or extended
   */
  lift(
    tx: ResponseTransaction,
    banId: string,
    by: { readonly actorId: string; readonly reason: string },
  ): Promise<boolean>
}

/** Why and how long a response bans. */
export interface BanActionTerms {
  readonly detector: string
  readonly reason: string
  readonly until: Date
}

/** A ban that stays, because it is a person's by now; what was written before it was known is undone. */
export class KeptBan extends Error {
  constructor() {
    super('A person has made this ban: it stays.')
    this.name = 'KeptBan'
  }
}

/** What {@link banActions} is made of. */
export interface BanActionParts {
  readonly never: ReturnType<typeof neverBanned>
  /** Told of every row that has been committed here, as `TableBans` is: its follower takes it up. */
  readonly onChange: NonNullable<ConstructorParameters<typeof TableBans>[0]['onChange']>
}

/** Bans by responses, written in the transaction of the response. */
export function banActions({ never, onChange }: BanActionParts): BanActions {
  const bansIn = ({ db, note, nowMs, afterCommit }: ResponseTransaction): TableBans =>
    new TableBans({
      db,
      never,
      trail: { transact: (work) => work(db, note) },
      // Not before the commit: what is known here and was undone there would refuse whom nobody has banned.
      onChange: async (record) => afterCommit(() => onChange(record)),
      nowMs: () => nowMs,
    })
  return {
    isProtected: (address) => never.has(address),
    async ban(tx, target, { detector, reason, until }) {
      const ban = await bansIn(tx).ban({ ...target, reason, until, origin: originOf(detector) })
      return ban.id
    },
    async lift(tx, banId, by) {
      const lifted = await bansIn(tx).lift({ id: banId }, by)
      if (lifted?.origin === 'manual') throw new KeptBan()
      return lifted !== null
    },
  }
}

/** The actions of a server without accounts of its own: it can neither lock one nor end a session. */
export const withoutAccounts: AccountActions = {
  requireLockable: async () => refuse('unsupported'),
  revokeSessions: async () => refuse('unsupported'),
}

/** Why an action refused; `null` for an error that is none. */
export function refusalOf(error: unknown): RefusalReason | null {
  if (error instanceof ResponseRefusal) return error.why
  if (error instanceof BanFault) return error.kind
  return error instanceof Problem && error.code === 'NOT_FOUND' ? 'unknown-target' : null
}

function refuse(why: RefusalReason): never {
  throw new ResponseRefusal(why)
}

/** The origin of a ban: a detector of any name, but never a person. */
function originOf(detector: string): string {
  const name = detector.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, '-')
  return /^[a-z]/.test(name) && name !== 'manual' ? name.slice(0, 64) : `detector-${name}`.slice(0, 64)
}
