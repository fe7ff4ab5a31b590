import type { BanFaultKind } from '../bans/index.ts'
import type { ResponseName } from '../detection/index.ts'

/** A response that is a row of the table. Alerts are told elsewhere. */
export type HeldResponse = Exclude<ResponseName, 'alert'>

/** A response that lasts. Sessions that were ended are ended. */
export type TimedResponse = Exclude<HeldResponse, 'revoke-sessions'>

/** Every response that is a row of the table. */
export const heldResponses: readonly HeldResponse[] = [
  'slow-down',
  'step-up',
  'ban-address',
  'lock-account',
  'revoke-sessions',
]

/** What a response is against. An IPv6 address stands for its /64. */
export type ResponseTargetKind = 'address' | 'account' | 'session'

/** Why a response was refused, in fixed words. */
export type RefusalReason =
  | BanFaultKind
  /** Without this account nobody could manage accounts any more. */
  | 'last-administrator'
  /** There is no such account or session by now. */
  | 'unknown-target'
  /** This server has no accounts of its own. */
  | 'unsupported'

/** A response as it stands in the table. Times are ISO 8601, UTC. */
export interface AppliedResponse {
  readonly id: string
  readonly response: HeldResponse
  /** The detector whose finding it answers. */
  readonly detector: string
  /** `dry-run` for one that was only written down. */
  readonly mode: 'applied' | 'dry-run'
  readonly targetKind: ResponseTargetKind
  /** `203.0.113.9`, `2001:db8::/64`, or the id of an account or a session. */
  readonly target: string
  /** What the detector has seen. */
  readonly reason: string
  readonly alertId: string | null
  /** What the finding was about: detector, and what it counted by. */
  readonly findingKey: string | null
  readonly madeAt: string
  /** The last finding it has answered. */
  readonly lastAt: string
  readonly expiresAt: string
  readonly undoneAt: string | null
  readonly undoneBy: string | null
  readonly undoneReason: string | null
  /** The ban that it has made, or extended. */
  readonly effectId: string | null
  readonly outcome: 'done' | 'refused' | 'failed'
  /** Why it was refused, or `error`; `null` when it was done. */
  readonly why: RefusalReason | 'error' | null
  /** The how many-th within a week against this target, which says how long it lasts. */
  readonly levelCount: number
  /** How many findings it has answered. */
  readonly findingCount: number
}

/** A response with the time of its last change, which is what other nodes read by. */
export interface ResponseRecord extends AppliedResponse {
  readonly changedAt: string
}

/** A response that is not made, as an action says it: expected, and no error. */
export class ResponseRefusal extends Error {
  readonly why: RefusalReason

  constructor(why: RefusalReason) {
    super(`The response is refused: ${why}.`)
    this.name = 'ResponseRefusal'
    this.why = why
  }
}

/** A choice or a question about responses that cannot be understood. The message is for operators. */
export class ResponseFault extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'ResponseFault'
    this.faults = faults
  }
}
