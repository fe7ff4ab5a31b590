import type { AuditTrail } from '../audit/index.ts'
import { followTable, type MigrationDatabase } from '../data/index.ts'
import type { Finding } from '../detection/index.ts'
import type { ResponseActions } from './actions.ts'
import { applyResponse, type ResponseOrder, repeatMs } from './apply.ts'
import { type ResponseOptions, responsePlan } from './options.ts'
import { openQueue } from './queue.ts'
import { deleteEnded, openKeyOf, readFollowed, readResponse, readResponses } from './records.ts'
import { type AppliedResponse, type HeldResponse, ResponseFault, type ResponseRecord } from './response.ts'
import { ResponseIndex } from './response-index.ts'
import { oneLine, targetSpelling, targetsOf } from './targets.ts'
import { timeAt } from './transaction.ts'
import { type UndoOrder, undoResponse } from './undo.ts'

/** What is done about findings, running. */
export interface Responses {
  /**
   * Answers a finding with what its rule asks for. It returns at once, and never throws: what goes wrong is told to
   * `onFailure`, and the next finding tries again.
   *
   * @param by The alert that was opened for it.
   */
  respond(finding: Finding, by?: { readonly alertId?: string }): void
  /** Who is slowed down and who must authenticate again, from memory. */
  readonly index: Pick<ResponseIndex, 'delayMsFor' | 'stepUpSinceMs' | 'count'>
  /**
   * Undoes a response, on every node within a second. The same detector does not do it again for a time of grace.
   *
   * @returns `null` when no response of this id is in force
   * @throws CONFLICT for sessions that were ended: they cannot be given back; ResponseFault without a reason;
   *   `UNAVAILABLE`
   * @example await responses.undo(id, { actorId: user.id, reason: 'our own load test' })
   */
  undo(id: string, by: UndoOrder): Promise<AppliedResponse | null>
  /**
   * Responses, newest first.
   *
   * @throws ResponseFault for a page that is none
   */
  list(search?: ResponseSearch): Promise<ResponsePage>
  /** One response; `null` when there is none of this id. */
  byId(id: string): Promise<AppliedResponse | null>
  /** Reads what has changed, now. */
  read(): Promise<void>
  /** Forgets responses that ended 90 days ago. */
  clean(): Promise<void>
  /** Resolves when every finding that was taken has been answered. For tests. */
  idle(): Promise<void>
  /** Ends it. Findings that wait are dropped: their detectors find the same again. */
  close(): Promise<void>
}

/** Which responses, and where the page begins. */
export interface ResponseSearch {
  /** Those in force, or all that are kept; `active` unless given. */
  readonly state?: 'active' | 'all'
  /** How many, 1 to 1,000; 100 unless given. */
  readonly limit?: number
  /** The cursor of the page before. */
  readonly cursor?: string | undefined
  /** An address in any spelling, or the id of an account or a session. */
  readonly target?: string | undefined
}

/** One page of responses. */
export interface ResponsePage {
  readonly items: readonly AppliedResponse[]
  /** `null` on the last page. */
  readonly nextCursor: string | null
}

/** What responses are opened with. */
export interface ResponsesOpening {
  /** Without row rules. */
  readonly db: MigrationDatabase
  readonly trail: Pick<AuditTrail, 'transact'>
  readonly actions: ResponseActions
  readonly options?: ResponseOptions | undefined
  /** Told of what went wrong, for the log. */
  readonly onFailure: (error: unknown) => void
  /** Told once when there begins to be no room: for findings that wait, or for those in force. For the log. */
  readonly onOverfull?: ((what: 'findings' | 'index') => void) | undefined
  /** Told when one has been written or undone, and is known here: other threads of the process want to know too. */
  readonly onWritten?: (() => Promise<void>) | undefined
  /** For tests. */
  readonly bounds?: ResponseBounds
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs?: () => number
}

/** How much responses may take of memory and database. */
export interface ResponseBounds {
  /** How many wait to be written; 1,000 unless given. */
  readonly waitingCount?: number
  /** How many are written within a second; 50 unless given. */
  readonly perSecondCount?: number
  /** How many of each kind are known in memory; 100,000 unless given. */
  readonly heldCount?: number
  /** How often the table is read, in milliseconds; 250 unless given. */
  readonly everyMs?: number
}

const maxLimit = 1_000
const defaultLimit = 100
const keptMs = 90 * 86_400_000
const answeredMaxCount = 10_000
const keyMaxChars = 300

/**
 * Opens responses: reads which are in force, and follows the table.
 *
 * @throws ResponseFault with everything that is wrong with the options; `UNAVAILABLE`
 * @see docs/decisions/0020-responses-are-rows.md; OWASP ASVS 5.0 §16.3.3; OWASP AppSensor, Response Actions
 */
export async function openResponses(opening: ResponsesOpening): Promise<Responses> {
  const { db, trail, actions, onFailure, onOverfull, bounds = {}, nowMs = Date.now } = opening
  const plan = responsePlan(opening.options)
  const tell = quietly(onFailure)
  const index = new ResponseIndex({
    slowDown: plan.slowDown,
    isProtected: (address) => actions.isProtected(address),
    maxCount: bounds.heldCount,
    onOverfull: () => onOverfull?.('index'),
    nowMs,
  })
  const table = {
    readChanges: (from: { id: string; changedAt: string }, rowCount: number) =>
      readFollowed(db, from, { rowCount }),
    readActive: (from: { id: string; changedAt: string }, page: { rowCount: number; now: string }) =>
      readFollowed(db, from, page),
  }
  const follower = await followTable<ResponseRecord>({
    ...{ table, index, everyMs: bounds.everyMs, onFailure: tell, nowMs },
  })
  const parts = {
    ...{ trail, actions, plan, onFailure: tell, nowMs },
    async onChange(record: ResponseRecord) {
      await follower.note(record)
      await opening.onWritten?.()
    },
  }
  const answered = answeredWithin(repeatMs, nowMs)
  const queue = openQueue<ResponseOrder>({
    async carryOut(order) {
      const record = await applyResponse(parts, order)
      if (record?.outcome !== 'failed') answered.note(keyOf(order))
    },
    maxCount: bounds.waitingCount ?? 1_000,
    perSecondCount: bounds.perSecondCount ?? 50,
    onFailure: tell,
    onFull: quietly(() => onOverfull?.('findings')),
  })
  return {
    index,
    respond(finding, by) {
      try {
        for (const order of ordersOf(plan, finding, by?.alertId ?? null)) {
          const key = keyOf(order)
          if (!answered.has(key)) queue.add(key, order)
        }
      } catch (error) {
        tell(error)
      }
    },
    async undo(id, by) {
      const record = await undoResponse(parts, id, by)
      return record === null ? null : responseOf(record)
    },
    list: (search) => listResponses(db, search ?? {}, nowMs()),
    byId: (id) => readResponse(db, id),
    read: () => follower.read(),
    clean: () => deleteEnded(db, timeAt(nowMs() - keptMs)),
    idle: () => queue.idle(),
    async close() {
      await queue.close()
      await follower.close()
    },
  }
}

function responseOf({ changedAt: _, ...response }: ResponseRecord): AppliedResponse {
  return response
}

/** What is the same response to the same: what one detector may not do, because it was undone, another may. */
function keyOf(order: ResponseOrder): string {
  return `${order.detector} ${openKeyOf(order)}`
}

/** Every response that a finding asks for, against every target that it has. */
function ordersOf(
  plan: ReturnType<typeof responsePlan>,
  finding: Finding,
  alertId: string | null,
): readonly ResponseOrder[] {
  const { detector, subject } = finding
  const { mode, only } = plan.of(detector)
  if (mode === 'off') return []
  const about = {
    mode: mode === 'on' ? ('applied' as const) : mode,
    detector: oneLine(detector, 64) || 'unnamed',
    reason: oneLine(finding.summary) || 'no summary',
    findingKey: oneLine(`${detector} ${subject.by} ${subject.value}`, keyMaxChars),
    alertId,
  }
  const wanted = finding.responses.filter(
    (name): name is HeldResponse => name !== 'alert' && (only === undefined || only.has(name)),
  )
  return wanted.flatMap((response) =>
    targetsOf(response, finding, plan.maxTargetCount).map((target) => ({ ...about, ...target, response })),
  )
}

async function listResponses(
  db: MigrationDatabase,
  { state = 'active', limit = defaultLimit, cursor, target }: ResponseSearch,
  nowMs: number,
): Promise<ResponsePage> {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit)
    throw new ResponseFault([`A page has 1 to ${maxLimit} responses.`])
  const spelt = target === undefined ? undefined : targetSpelling(target)
  const reading = { state, limit: limit + 1, before: cursor, target: spelt }
  const found = await readResponses(db, reading, timeAt(nowMs))
  const items = found.slice(0, limit)
  return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null }
}

/** What was answered a moment ago, so that the same finding costs no look at the table. */
function answeredWithin(withinMs: number, nowMs: () => number) {
  const until = new Map<string, number>()
  return {
    has: (key: string): boolean => (until.get(key) ?? 0) > nowMs(),
    note(key: string): void {
      until.delete(key)
      until.set(key, nowMs() + withinMs)
      // A Map keeps the order of insertion, and all are kept for the same time.
      const [oldest] = until.keys()
      if (until.size > answeredMaxCount && oldest !== undefined) until.delete(oldest)
    },
  }
}

/** A listener whose own errors concern nobody. */
function quietly<Said extends readonly unknown[]>(tell: (...said: Said) => void): (...said: Said) => void {
  return (...said) => {
    try {
      tell(...said)
    } catch {
      // There is nobody left to tell.
    }
  }
}
