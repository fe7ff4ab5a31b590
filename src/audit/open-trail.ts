import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import type { MigrationDatabase } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import {
  type EmitEvent,
  type EventName,
  kindOfEvent,
  type RecordedEvent,
  recordOf,
  type SecurityEvent,
} from '../events/index.ts'
import { ChainWriter, type WaitingRows } from './chain-writer.ts'
import type { SignedCheckpoint } from './checkpoints.ts'
import type { TrailKeys } from './keys.ts'
import { nameOf, type Received, received } from './received.ts'
import { rowOf } from './row.ts'
import type { AuditTrail, EventListener } from './trail.ts'
import { WaitingList } from './waiting.ts'
import { insertRows } from './write-rows.ts'

/** What a trail is opened with. */
export interface TrailOpening {
  /** Without row rules. */
  readonly db: MigrationDatabase
  readonly keys: TrailKeys
  /** A server says that it starts and stops; a job only writes what it does. */
  readonly kind: 'server' | 'job'
  /** Told once when writing begins to fail, of a listener that throws, and of events that are lost ({@link TrailFault}). */
  readonly onFailure: (error: unknown) => void
  /** Told of each head that is signed, so that there is a copy of it outside of the database. */
  readonly onCheckpoint?: (checkpoint: SignedCheckpoint) => void
  /** How many events that anybody can cause may wait; 5,000 unless given. */
  readonly waitingMaxCount?: number
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs?: () => number
  /** For how long {@link OpenTrail.close} tries to write what waits, in milliseconds; 5 seconds unless given. */
  readonly closeMs?: number
}

/** The audit trail, running. */
export interface OpenTrail extends AuditTrail {
  /** The id of the chain that this process writes. */
  readonly chain: string
  /** How many events wait, and how many that anybody can cause were dropped since the start. */
  readonly counts: () => { readonly waitingCount: number; readonly droppedCount: number }
  /** Writes what waits, signs how far the chain has come, and ends. What cannot be written is told as a {@link TrailFault}. */
  close(): Promise<void>
}

/** Events that could not be written to the trail. */
export class TrailFault extends Error {
  readonly lostCount: number

  constructor(lostCount: number, cause?: unknown) {
    super(`${lostCount} events could not be written to the audit trail; they stand in the log alone.`, {
      cause,
    })
    this.name = 'TrailFault'
    this.lostCount = lostCount
  }
}

const defaultWaitingMaxCount = 5_000
const defaultCloseMs = 5_000
// What comes in one turn of the event loop, before anybody has looked at it.
const intakeMaxCount = 20_000
const publishCount = 1_000
const writeAfterMs = 50
const retryMinMs = 250
const retryMaxMs = 5_000
// SQLite writes on the thread of the requests: a batch must be short.
const batchCount = 200
const poisonAttempts = 3
const tickMs = 30_000
const adoptAfterMs = 60_000
// What was not taken up within this time is looked at by a person: see verify.
const adoptWithinMs = 30 * 86_400_000

/**
 * Opens the audit trail of this process.
 *
 * @see docs/decisions/0017-the-chain-is-sealed-after-the-commit.md; OWASP ASVS 5.0 §16.2, §16.4.2
 * @example
 * const trail = openTrail({ db, keys: trailKeys(secret, null), kind: 'server', onFailure })
 * trail.emit({ event: 'authn_login_fail', address })
 */
export function openTrail(opening: TrailOpening): OpenTrail {
  return new Trail(opening)
}

interface Emitted {
  readonly event: unknown
  readonly atMs: number
}

class Trail implements OpenTrail {
  readonly emit: EmitEvent
  readonly #opening: TrailOpening
  readonly #nowMs: () => number
  readonly #writer: ChainWriter
  readonly #waiting: WaitingList
  readonly #listeners = new Set<EventListener>()
  readonly #ticking: NodeJS.Timeout
  #emitted: Emitted[] = []
  #cheapIntakeCount = 0
  /** In the table by their own transactions; listeners have not heard of them. */
  #untold: RecordedEvent[] = []
  #batch: WaitingRows | undefined
  #isPublishing = false
  #isFailing = false
  #failureCount = 0
  /** How many rows are still written one by one, because one of them is refused. */
  #singleCount = 0
  #isClosed = false
  /** What comes now is told and lost. */
  #isEnded = false
  #retryMs = retryMinMs
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(opening: TrailOpening) {
    this.#opening = opening
    this.#nowMs = opening.nowMs ?? Date.now
    this.#waiting = new WaitingList(opening.waitingMaxCount ?? defaultWaitingMaxCount)
    this.#writer = new ChainWriter(opening.db, opening.keys[0], this.#nowMs)
    this.emit = (event) => this.#take(event)
    this.#ticking = setInterval(() => void this.#inTurn(() => this.#tick()), tickMs)
    this.#ticking.unref()
    if (opening.kind === 'server') this.emit({ event: 'sys_startup' })
  }

  get chain(): string {
    return this.#writer.head.chain
  }

  readonly counts = (): { waitingCount: number; droppedCount: number } => ({
    waitingCount: this.#emitted.length + this.#waiting.count,
    droppedCount: this.#waiting.droppedCount,
  })

  async transact<T>(work: (db: MigrationDatabase, note: EmitEvent) => Promise<T>): Promise<T> {
    const noted: Received[] = []
    const done = await this.#opening.db.transaction().execute(async (trx) => {
      const result = await work(trx, (event) => void noted.push(received(event, this.#nowMs())))
      // Last, so that what others wait for is held as shortly as it can be.
      await insertRows(
        trx,
        noted.map(({ row }) => this.#writer.unsealed(row)),
      )
      return result
    })
    if (noted.length > 0) {
      this.#waiting.addCommitted(noted.map(({ row }) => row))
      this.#untold.push(...noted.map(({ record }) => record))
      this.#writeAfter(writeAfterMs)
      this.#publishSoon()
    }
    return done
  }

  listen(listener: EventListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async idle(): Promise<void> {
    for (;;) {
      this.#publishAll()
      if (this.#waiting.isEmpty) break
      await this.#inTurn(() => this.#writeAll())
      if (this.#isFailing) await delay(writeAfterMs)
    }
    await this.#writing
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    if (this.#opening.kind === 'server') this.emit({ event: 'sys_shutdown' })
    this.#publishAll()
    this.#isClosed = true
    clearInterval(this.#ticking)
    clearTimeout(this.#timer)
    const stop = new AbortController()
    const patience = delay(this.#opening.closeMs ?? defaultCloseMs, undefined, { signal: stop.signal })
    let isOver = false
    const ended = async (): Promise<void> => {
      while (!isOver) {
        await this.#inTurn(() => this.#writeLast())
        if (!this.#isFailing) return
        await delay(writeAfterMs)
      }
    }
    await Promise.race([ended(), patience.catch(() => undefined)])
    isOver = true
    stop.abort()
    this.#publishAll()
    this.#isEnded = true
    const { waitingCount } = this.counts()
    if (waitingCount > 0) this.#fail(new TrailFault(waitingCount))
  }

  // On the path of a request: nothing but a look and a push.
  #take(event: unknown): void {
    const name = nameOf(event)
    if (name !== undefined && !kindOfEvent(name).isImportant) {
      if (this.#cheapIntakeCount >= intakeMaxCount) {
        this.#waiting.drop(name)
        return
      }
      this.#cheapIntakeCount += 1
    }
    this.#emitted.push({ event, atMs: this.#nowMs() })
    this.#publishSoon()
  }

  #publishSoon(): void {
    if (this.#isPublishing) return
    this.#isPublishing = true
    setImmediate(() => this.#publish())
  }

  #publishAll(): void {
    // Listeners may emit in their turn; one that answers each event with another must not hold up the end.
    for (let round = 0; round < 100 && this.#emitted.length + this.#untold.length > 0; round += 1)
      this.#publish()
  }

  #publish(): void {
    this.#isPublishing = false
    const untold = this.#untold
    this.#untold = []
    const emitted = this.#emitted.splice(0, publishCount)
    if (this.#emitted.length > 0) this.#publishSoon()
    else this.#cheapIntakeCount = 0
    if (untold.length + emitted.length === 0) return
    const taken = emitted.map(({ event, atMs }) => received(event, atMs))
    // Whoever listens hears of all of them, also of those that the table has no room for.
    this.#tell([...untold, ...taken.map(({ record }) => record)])
    if (taken.length === 0) return
    if (this.#isEnded) {
      this.#fail(new TrailFault(taken.length))
      return
    }
    for (const { row } of taken) this.#waiting.add(row)
    this.#writeAfter(writeAfterMs)
  }

  #tell(events: readonly RecordedEvent[]): void {
    for (const listener of this.#listeners) {
      try {
        listener(events)
      } catch (error) {
        this.#fail(error)
      }
    }
  }

  /** Whoever is told of a failure must not become one: writing would end with it. */
  #fail(error: unknown): void {
    try {
      this.#opening.onFailure(error)
    } catch {
      // There is nobody else to tell.
    }
  }

  #writeAfter(afterMs: number): void {
    if (this.#timer !== undefined || this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#inTurn(() => this.#writeAll())
    }, afterMs)
    // What waits is written at the end: a process that has nothing else to do ends with close().
    this.#timer.unref()
  }

  /** One after the other: places in the chain are given by one at a time. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(work).then(
      () => {
        this.#isFailing = false
        this.#failureCount = 0
        this.#retryMs = retryMinMs
      },
      (error: unknown) => {
        if (!this.#isFailing) this.#fail(error)
        this.#isFailing = true
        this.#giveUpPoison(error)
        this.#writeAfter(this.#retryMs)
        this.#retryMs = Math.min(retryMaxMs, this.#retryMs * 2)
      },
    )
    return this.#writing
  }

  /** A row that the database will never take must not hold up all others: it is found by writing one by one. */
  #giveUpPoison(error: unknown): void {
    if (error instanceof Problem && error.code === 'UNAVAILABLE') return
    this.#failureCount += 1
    const batch = this.#batch
    if (batch === undefined || this.#failureCount < poisonAttempts) return
    this.#failureCount = 0
    this.#batch = undefined
    const rowCount = batch.fresh.length + batch.committed.length
    if (rowCount > 1) this.#singleCount = rowCount
    else {
      this.#waiting.done(batch)
      this.#fail(new TrailFault(rowCount, error))
    }
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      this.#noteDropped()
      if (this.#waiting.isEmpty) return
      // The same rows again after a failure: they may have been committed, and are known by what they are.
      this.#batch ??= this.#nextBatch()
      const { missingIds, brokenChain, checkpoint } = await this.#writer.seal(this.#batch)
      this.#waiting.done(this.#batch)
      this.#batch = undefined
      this.#failureCount = 0
      this.#copied(checkpoint)
      if (brokenChain !== null)
        this.#tampered('the end of the chain is not as it was written', { brokenChain })
      const [missing] = missingIds
      if (missing !== undefined)
        this.#tampered('rows were removed before they were sealed', { id: missing, rows: missingIds.length })
      // Nothing waits for the other side on SQLite: without this, requests would wait for all of it.
      await nextTurn()
    }
  }

  #nextBatch(): WaitingRows {
    if (this.#singleCount === 0) return this.#waiting.next(batchCount)
    this.#singleCount -= 1
    const { fresh, committed } = this.#waiting.next(1)
    return committed.length > 0 ? { fresh: [], committed } : { fresh, committed }
  }

  async #writeLast(): Promise<void> {
    await this.#writeAll()
    const closed = await this.#writer.close()
    this.#copied(closed)
  }

  #copied(checkpoint: SignedCheckpoint | null): void {
    if (checkpoint === null) return
    try {
      this.#opening.onCheckpoint?.(checkpoint)
    } catch (error) {
      this.#fail(error)
    }
  }

  #noteDropped(): void {
    const details = this.#waiting.takeDropped()
    if (details !== null) this.#note({ event: 'audit_events_dropped', details })
  }

  #tampered(reason: string, details: Readonly<Record<string, string | number>>): void {
    this.#note({ event: 'audit_tampering', reason, details: { ...details, chain: this.chain } })
  }

  /** An event about the trail itself, which is written with the next batch. */
  #note(event: SecurityEvent & { readonly event: EventName }): void {
    const record = recordOf(event, this.#nowMs())
    this.#waiting.add(rowOf(record))
    this.#untold.push(record)
    this.#publishSoon()
  }

  async #tick(): Promise<void> {
    const checkpoint = await this.#writer.checkpoint()
    this.#copied(checkpoint)
    if (this.#opening.kind === 'server') await this.#adopt()
  }

  async #adopt(): Promise<void> {
    const nowMs = this.#nowMs()
    const between = {
      after: new Date(nowMs - adoptWithinMs).toISOString(),
      before: new Date(nowMs - adoptAfterMs).toISOString(),
    }
    const isWaiting = (id: string): boolean => this.#waiting.hasCommitted(id)
    const rows = await this.#writer.adopt(between, this.#opening.keys, isWaiting)
    if (rows === 0) return
    const reason = 'rows of a process that has died were sealed late'
    this.#note({ event: 'sys_crash', reason, details: { rows } })
    this.#writeAfter(writeAfterMs)
  }
}
