import { Problem } from '../errors/index.ts'
import { KeptBan, type ResponseActions } from './actions.ts'
import { type LiftedBan, noteUndone } from './events.ts'
import { changeResponse, lockResponse } from './records.ts'
import { ResponseFault, type ResponseRecord } from './response.ts'
import { oneLine } from './targets.ts'
import { inTransaction, type ResponseTransaction, type TransactionParts, timeAt } from './transaction.ts'

/** Who undoes a response, and why: for the audit trail. */
export interface UndoOrder {
  readonly actorId: string
  /** Up to 500 characters on one line. */
  readonly reason: string
}

/** What responses are undone with. */
export interface UndoParts extends TransactionParts {
  readonly actions: Pick<ResponseActions, 'lift'>
  readonly onChange: (record: ResponseRecord) => Promise<void>
}

const reasonMaxChars = 500
const actorMaxChars = 200

/**
 * Undoes a response: its row, its ban and the event in one transaction. A ban that a person has made or extended
 * meanwhile stays, and the response is undone.
 *
 * @returns `null` when no response of this id is in force
 * @throws CONFLICT for sessions that were ended; ResponseFault without a reason
 */
export async function undoResponse(
  parts: UndoParts,
  id: string,
  by: UndoOrder,
): Promise<ResponseRecord | null> {
  requireLine(by.reason, 'The reason', reasonMaxChars)
  requireLine(by.actorId, 'Who undoes a response', actorMaxChars)
  try {
    return await inTransaction(parts, (tx) => undoIn(parts, tx, { id, by, keepsBan: false }))
  } catch (error) {
    if (!(error instanceof KeptBan)) throw error
    return await inTransaction(parts, (tx) => undoIn(parts, tx, { id, by, keepsBan: true }))
  }
}

interface Undoing {
  readonly id: string
  readonly by: UndoOrder
  readonly keepsBan: boolean
}

async function undoIn(
  { actions, onChange }: UndoParts,
  tx: ResponseTransaction,
  { id, by, keepsBan }: Undoing,
): Promise<ResponseRecord | null> {
  const before = await lockResponse(tx.db, id)
  if (before === null || before.undoneAt !== null || before.outcome !== 'done') return null
  if (before.response === 'revoke-sessions' && before.mode === 'applied')
    throw new Problem('CONFLICT', 'sessions that were ended cannot be given back')
  const now = timeAt(tx.nowMs)
  if (before.expiresAt <= now) return null
  const undone = { undoneAt: now, undoneBy: by.actorId, undoneReason: by.reason.trim(), changedAt: now }
  const record = await changeResponse(tx.db, before, undone)
  const ban = await liftedBan(actions, tx, { banId: before.effectId, by, keepsBan })
  noteUndone(tx.note, record, { actorId: by.actorId, ban })
  tx.afterCommit(() => onChange(record))
  return record
}

async function liftedBan(
  actions: UndoParts['actions'],
  tx: ResponseTransaction,
  { banId, by, keepsBan }: { readonly banId: string | null } & Omit<Undoing, 'id'>,
): Promise<LiftedBan | null> {
  if (banId === null) return null
  if (keepsBan) return 'kept'
  return (await actions.lift(tx, banId, by)) ? 'lifted' : 'gone'
}

function requireLine(text: unknown, what: string, maxChars: number): void {
  const line = typeof text === 'string' ? text.trim() : ''
  if (line === '' || line.length > maxChars || oneLine(line, maxChars) !== line)
    throw new ResponseFault([`${what} is a text of up to ${maxChars} characters on one line.`])
}
