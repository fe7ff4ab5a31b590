import type { EmitEvent, SecurityEvent } from '../events/index.ts'
import type { AppliedResponse } from './response.ts'

/** What became of the ban of a response that was undone. */
export type LiftedBan = 'lifted' | 'gone' | 'kept'

/** Notes that a response was applied, extended, refused, or would have been applied. */
export function noteApplied(
  note: EmitEvent,
  response: AppliedResponse,
  { isRepeat }: { readonly isRepeat: boolean },
): void {
  const { outcome, why, mode, reason, expiresAt, levelCount, findingCount } = response
  const told = outcome === 'done' ? (mode === 'applied' ? 'success' : 'unknown') : 'failure'
  const details = { until: expiresAt, outcome, why, isRepeat, levelCount, findingCount }
  note({
    ...factsOf(response, details),
    event: 'response_applied',
    outcome: told,
    reason,
  })
}

/** Notes that a response was undone, by whom, and why. */
export function noteUndone(
  note: EmitEvent,
  response: AppliedResponse,
  { actorId, ban }: { readonly actorId?: string; readonly ban: LiftedBan | null },
): void {
  note({
    ...factsOf(response, { ban }),
    event: 'response_undone',
    outcome: 'success',
    ...(actorId === undefined ? {} : { actorId }),
    ...(response.undoneReason === null ? {} : { reason: response.undoneReason }),
  })
}

function factsOf(
  { id, response, detector, mode, targetKind, target, effectId, alertId }: AppliedResponse,
  more: SecurityEvent['details'],
): Pick<SecurityEvent, 'userId' | 'sessionId' | 'address' | 'details'> {
  return {
    ...(targetKind === 'account' ? { userId: target } : {}),
    ...(targetKind === 'session' ? { sessionId: target } : {}),
    ...(targetKind === 'address' ? { address: target.replace(/\/64$/, '') } : {}),
    details: {
      ...{ responseId: id, response, detector, mode, targetKind, target },
      ...(effectId === null ? {} : { banId: effectId }),
      ...(alertId === null ? {} : { alertId }),
      ...more,
    },
  }
}
