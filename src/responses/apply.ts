import { newId, unreachable } from '../base/index.ts'
import { type ResponseActions, refusalOf } from './actions.ts'
import { noteApplied, noteUndone } from './events.ts'
import type { ResponsePlan } from './options.ts'
import {
  changeResponse,
  countBefore,
  freePlace,
  insertResponse,
  isUndoneSince,
  lockedAccounts,
  lockPlace,
} from './records.ts'
import type { HeldResponse, RefusalReason, ResponseRecord } from './response.ts'
import { ResponseRefusal } from './response.ts'
import type { ResponseTarget } from './targets.ts'
import { inTransaction, type ResponseTransaction, type TransactionParts, timeAt } from './transaction.ts'

/** One response to one finding against one target. */
export interface ResponseOrder extends ResponseTarget {
  readonly response: HeldResponse
  readonly mode: ResponseRecord['mode']
  readonly detector: string
  readonly reason: string
  readonly findingKey: string
  readonly alertId: string | null
}

/** What responses are applied with. */
export interface ApplyParts extends TransactionParts {
  readonly plan: ResponsePlan
  readonly actions: ResponseActions
  /** Told of every response that has been committed here. */
  readonly onChange: (record: ResponseRecord) => Promise<void>
}

/** A finding within this time of the last one is the same: told again by its detector, or by that of another node. */
export const repeatMs = 60_000
// How far back responses count when it is decided how long the next one lasts.
const weekMs = 7 * 86_400_000
// Sessions that were ended stay ended; the row only keeps the same finding from ending new ones again and again.
const onceMs = repeatMs

/** A person has lifted the ban of a response that is in force: the response ends instead of being extended. */
class LiftedByHand extends Error {}

/**
 * Applies a response, or extends the one that is in force: row, effect and event in one transaction, so that a crash
 * leaves all of them or none. However many nodes do it at once, there is one row for one target.
 *
 * @returns the row; `null` when there is nothing to do
 * @throws what the database does
 */
export async function applyResponse(parts: ApplyParts, order: ResponseOrder): Promise<ResponseRecord | null> {
  try {
    return await inTransaction(parts, async (tx) => {
      await freePlace(tx.db, order, timeAt(tx.nowMs))
      const before = await lockPlace(tx.db, order)
      return before === null ? await begin(parts, tx, order) : await extend(parts, tx, { before, order })
    })
  } catch (error) {
    if (error instanceof LiftedByHand) return await endLifted(parts, order)
    const refusal = refusalOf(error)
    if (refusal !== null) return await writeDown(parts, order, { outcome: 'refused', why: refusal })
    parts.onFailure(error)
    return await writeDown(parts, order, { outcome: 'failed', why: 'error' })
  }
}

async function begin(
  parts: ApplyParts,
  tx: ResponseTransaction,
  order: ResponseOrder,
): Promise<ResponseRecord | null> {
  const { plan, onChange } = parts
  const since = timeAt(tx.nowMs - plan.graceMs)
  if (await isUndoneSince(tx.db, order, { detector: order.detector, since })) return null
  const made = await newRecord(parts, tx, order)
  // Another node was quicker with the same finding.
  if (!(await insertResponse(tx.db, made, { isOpen: true }))) return null
  const effectId = await effectOf(parts, tx, { order, record: made })
  const record =
    effectId === null ? made : await changeResponse(tx.db, made, { effectId, changedAt: made.changedAt })
  noteApplied(tx.note, record, { isRepeat: false })
  tx.afterCommit(() => onChange(record))
  return record
}

async function extend(
  parts: ApplyParts,
  tx: ResponseTransaction,
  { before, order }: { readonly before: ResponseRecord; readonly order: ResponseOrder },
): Promise<ResponseRecord | null> {
  if (before.outcome !== 'done' || order.response === 'revoke-sessions') return null
  if (tx.nowMs - Date.parse(before.lastAt) < repeatMs) return null
  const now = timeAt(tx.nowMs)
  const until = timeAt(tx.nowMs + lastsMs(parts.plan, order, before.levelCount))
  const extended = {
    ...before,
    lastAt: now,
    expiresAt: until > before.expiresAt ? until : before.expiresAt,
    findingCount: before.findingCount + 1,
  }
  const effectId = await effectOf(parts, tx, { order, record: extended })
  if (effectId !== null && effectId !== before.effectId) throw new LiftedByHand()
  const { lastAt, expiresAt, findingCount } = extended
  const change = { lastAt, expiresAt, findingCount, changedAt: now }
  const record = await changeResponse(tx.db, before, change)
  noteApplied(tx.note, record, { isRepeat: true })
  tx.afterCommit(() => parts.onChange(record))
  return record
}

/** Does what a response does outside of its row. @returns the id of the ban, where there is one */
async function effectOf(
  { actions }: ApplyParts,
  tx: ResponseTransaction,
  { order, record }: { readonly order: ResponseOrder; readonly record: ResponseRecord },
): Promise<string | null> {
  if (order.mode === 'dry-run') return null
  const { response, detector, reason, target, targetKind, written } = order
  const terms = { detector, reason, until: new Date(record.expiresAt) }
  switch (response) {
    case 'slow-down':
      if (targetKind === 'address' && actions.isProtected(written)) throw new ResponseRefusal('never-banned')
      return null
    case 'step-up':
      return null
    case 'ban-address':
      return await actions.ban(tx, { address: written }, terms)
    case 'lock-account': {
      await actions.requireLockable(tx, target, () => lockedAccounts(tx.db, timeAt(tx.nowMs)))
      const banId = await actions.ban(tx, { account: target }, terms)
      await actions.revokeSessions(tx, { account: target }, { detector })
      return banId
    }
    case 'revoke-sessions':
      await actions.revokeSessions(tx, targetKind === 'session' ? { session: target } : { account: target }, {
        detector,
      })
      return null
    default:
      return unreachable(response)
  }
}

/** Writes down what was not done. A refusal holds its place for as long as the response would have lasted. */
async function writeDown(
  parts: ApplyParts,
  order: ResponseOrder,
  said: { readonly outcome: 'refused' | 'failed'; readonly why: RefusalReason | 'error' },
): Promise<ResponseRecord | null> {
  return await inTransaction(parts, async (tx) => {
    await freePlace(tx.db, order, timeAt(tx.nowMs))
    const record = { ...(await newRecord(parts, tx, order)), ...said }
    if (!(await insertResponse(tx.db, record, { isOpen: said.outcome === 'refused' }))) return null
    noteApplied(tx.note, record, { isRepeat: false })
    return record
  })
}

async function endLifted(parts: ApplyParts, order: ResponseOrder): Promise<null> {
  await inTransaction(parts, async (tx) => {
    const before = await lockPlace(tx.db, order)
    if (before === null) return
    const now = timeAt(tx.nowMs)
    const undoneReason = 'its ban was lifted by hand'
    const record = await changeResponse(tx.db, before, { undoneAt: now, undoneReason, changedAt: now })
    noteUndone(tx.note, record, { ban: 'gone' })
    tx.afterCommit(() => parts.onChange(record))
  })
  return null
}

async function newRecord(
  { plan }: ApplyParts,
  { db, nowMs }: ResponseTransaction,
  order: ResponseOrder,
): Promise<ResponseRecord> {
  const { response, detector, mode, targetKind, target, reason, alertId, findingKey } = order
  const maxCount = 8
  const levelCount = 1 + (await countBefore(db, order, { since: timeAt(nowMs - weekMs), maxCount }))
  const now = timeAt(nowMs)
  return {
    ...{ id: newId(nowMs), response, detector, mode, targetKind, target, reason, alertId, findingKey },
    ...{ madeAt: now, lastAt: now, changedAt: now },
    expiresAt: timeAt(nowMs + lastsMs(plan, order, levelCount)),
    ...{ undoneAt: null, undoneBy: null, undoneReason: null, effectId: null, outcome: 'done', why: null },
    ...{ levelCount, findingCount: 1 },
  }
}

function lastsMs(
  plan: ResponsePlan,
  { response, detector }: Pick<ResponseOrder, 'response' | 'detector'>,
  levelCount: number,
): number {
  if (response === 'revoke-sessions') return onceMs
  const steps = plan.of(detector).durationsMs[response]
  return steps[Math.min(levelCount, steps.length) - 1] ?? onceMs
}
