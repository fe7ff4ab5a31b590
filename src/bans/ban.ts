/** What a ban is about. An IPv6 address stands for its /64: one customer has 2^64 addresses to rotate through. */
export type BanTargetKind = 'address' | 'range' | 'account'

/** A ban as it stands in the table. Times are ISO 8601, UTC. */
export interface Ban {
  readonly id: string
  readonly kind: BanTargetKind
  /** `203.0.113.9`, `2001:db8::/64`, `203.0.113.0/24`, or the id of an account. */
  readonly target: string
  /** Why, for whoever looks later; no client ever reads it. */
  readonly reason: string
  /** `manual`, or the name of the detector. */
  readonly origin: string
  /** Who banned, where that is known by an id. */
  readonly madeBy: string | null
  readonly madeAt: string
  /** `null` for a ban that stands until it is lifted. */
  readonly expiresAt: string | null
  readonly liftedAt: string | null
  readonly liftedBy: string | null
}

/** Whom to ban: exactly one of these. */
export type BanTarget =
  | { readonly address: string }
  | { readonly range: string }
  | { readonly account: string }

/** What to ban, why, and for how long. */
export type BanOrder = BanTarget & BanTerms

/** Everything about a ban but its target. */
export interface BanTerms {
  /** Why: up to 500 characters on one line. It stands in the table and in the log. */
  readonly reason: string
  /** For how long, in milliseconds. With neither this nor `until` it stands until it is lifted. */
  readonly forMs?: number | undefined
  readonly until?: Date | undefined
  /** `manual` unless given; a detector gives its name, and then the ban must end. */
  readonly origin?: string | undefined
  /** Who bans. */
  readonly actorId?: string | undefined
}

/** Why a ban is refused. */
export type BanFaultKind =
  /** The order cannot be understood: no address, no reason, a time that is past. */
  | 'unfit'
  /** The range is so wide that it would hit everybody. */
  | 'too-wide'
  /** It would hit a trusted proxy, and with it everybody behind. */
  | 'trusted-proxy'
  /** The allow list has it. */
  | 'never-banned'

/** A ban that is not made. The message is for operators: it names settings. */
export class BanFault extends Error {
  readonly kind: BanFaultKind

  constructor(kind: BanFaultKind, message: string) {
    super(message)
    this.name = 'BanFault'
    this.kind = kind
  }
}

/** The origin of what a person has banned. */
export const manualOrigin = 'manual'
