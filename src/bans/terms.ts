import { BanFault, type BanTerms, manualOrigin } from './ban.ts'
import { hasControls } from './target.ts'

/** The terms of a ban, checked. */
export interface CheckedTerms {
  readonly reason: string
  readonly origin: string
  readonly madeBy: string | null
  readonly expiresAt: string | null
}

const reasonMaxChars = 500
const actorMaxChars = 200
const longestMs = 100 * 365 * 86_400_000

/**
 * Checks why and for how long.
 *
 * @throws BanFault for terms that cannot be understood, and for a detector's ban without an end: a detector is wrong
 *   now and then, and nobody would notice.
 */
export function checkedTerms(terms: BanTerms, nowMs: number): CheckedTerms {
  const { origin = manualOrigin, actorId } = terms
  if (!/^[a-z][a-z0-9.-]{0,63}$/.test(origin))
    throw unfit('The origin of a ban is "manual", or the name of a detector in lower case.')
  if (actorId !== undefined && !isLine(actorId, actorMaxChars))
    throw unfit(`Who bans is an id of up to ${actorMaxChars} characters on one line.`)
  const reason = checkedReason(terms.reason)
  const expiresAtMs = endOf(terms, nowMs)
  if (expiresAtMs === undefined && origin !== manualOrigin)
    throw unfit('A ban by a detector has an end: give forMs or until.')
  return {
    reason,
    origin,
    madeBy: actorId ?? null,
    expiresAt: expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString(),
  }
}

function checkedReason(reason: unknown): string {
  const text = typeof reason === 'string' ? reason.trim() : ''
  if (!isLine(text, reasonMaxChars))
    throw unfit(`A ban needs a reason: up to ${reasonMaxChars} characters on one line.`)
  return text
}

function endOf({ forMs, until }: BanTerms, nowMs: number): number | undefined {
  if (forMs !== undefined && until !== undefined) throw unfit('A ban has forMs or until, not both.')
  if (forMs === undefined && until === undefined) return undefined
  const lastsMs = forMs ?? (until instanceof Date ? until.getTime() : Number.NaN) - nowMs
  // Written so that NaN is refused too.
  if (!(lastsMs > 0 && lastsMs <= longestMs))
    throw unfit('A ban lasts longer than nothing and at most a hundred years; leave the end away for ever.')
  return nowMs + Math.ceil(lastsMs)
}

function isLine(text: unknown, maxChars: number): boolean {
  return typeof text === 'string' && text !== '' && text.length <= maxChars && !hasControls(text)
}

function unfit(message: string): BanFault {
  return new BanFault('unfit', message)
}
