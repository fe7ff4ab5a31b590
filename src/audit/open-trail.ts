import type { MigrationDatabase } from '../data/index.ts'
import {
  type EmitEvent,
  isEventName,
  kindOfEvent,
  type RecordedEvent,
  recordOf,
  type SecurityEvent,
} from '../events/index.ts'
import { ChainWriter, type WaitingRows } from './chain-writer.ts'
import type { SignedCheckpoint } from './checkpoints.ts'
import type { TrailKeys } from './keys.ts'
import { eventsTable } from './migration.ts'
import { type EventRow, rowOf } from './row.ts'
import type { AuditTrail, EventListener } from './trail.ts'

/** What a trail is opened with. */
export interface TrailOpening {
  /** Without row rules. */
  readonly db: MigrationDatabase
  readonly keys: TrailKeys
  /** A server says that it starts and stops; a job only writes what it does. */
  readonly kind: 'server' | 'job'
  /** Told once when writing begins to fail, of a listener that throws, and of what was lost at the end. */
  readonly onFailure: (error: unknown) => void
  /** Told of each checkpoint, so that there is a copy of it outside of the database. */
  readonly onCheckpoint?: (checkpoint: SignedCheckpoint) => void
  /** How many events that anybody can cause may wait; 5,000 unless given. */
  readonly waitingMaxCount?: number
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs?: () => number
}

/** The audit trail, running. */
export interface OpenTrail extends AuditTrail {
  /** The id of the chain that this process writes. */
  readonly chain: string
  /** How many events wait, and how many that anybody can cause were dropped since the start. */
  readonly counts: () => { readonly waitingCount: number; readonly droppedCount: number }
  /** Writes what waits, signs how far the chain has come, and ends. */
  close(): Promise<void>
}

/** Events that could not be written before the end. */
export class TrailFault extends Error {
  readonly lostCount: number

  constructor(lostCount: number) {
    super(
      `${lostCount} events could not be written to the audit trail before the end; they stand in the log alone.`,
    )
    this.name = 'TrailFault'
    this.lostCount = lostCount
  }
}

const defaultWaitingMaxCount = 5_000
const writeAfterMs = 50
const retryMinMs = 250
const retryMaxMs = 5_000
const batchCount = 500
const checkpointRowCount = 1_000
const checkpointMs = 60_000
const adoptEveryMs = 30_000
const adoptAfterMs = 60_000
const closeMs = 5_000

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
  readonly event: SecurityEvent
  readonly atMs: number
}

class Trail implements OpenTrail {
  readonly emit: EmitEvent
  readonly #opening: TrailOpening
  readonly #nowMs: () => number
  readonly #writer: ChainWriter
  readonly #listeners = new Set<EventListener>()
  readonly #maxCount: number
  readonly #adopting: NodeJS.Timeout | undefined
  #emitted: Emitted[] = []
  /** In the table by their own transactions; listeners have not heard of them. */
  #untold: RecordedEvent[] = []
  #fresh: EventRow[] = []
  #committed: EventRow[] = []
  #batch: WaitingRows | undefined
  #cheapCount = 0
  #dropped = new Map<string, number>()
  #droppedCount = 0
  #isPublishing = false
  #isFailing = false
  #isTampered = false
  #isClosed = false
  #retryMs = retryMinMs
  #timer: NodeJS.Timeout | undefined
  #checkpointTimer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(opening: TrailOpening) {
    this.#opening = opening
    this.#nowMs = opening.nowMs ?? Date.now
    this.#maxCount = opening.waitingMaxCount ?? defaultWaitingMaxCount
    this.#writer = new ChainWriter(opening.db, opening.keys[0], this.#nowMs)
    this.emit = (event) => this.#take(event)
    if (opening.kind !== 'server') return
    this.emit({ event: 'sys_startup' })
    this.#adopting = setInterval(() => this.#inTurn(() => this.#adopt()), adoptEveryMs)
    this.#adopting.unref()
  }

  get chain(): string {
    return this.#writer.head.chain
  }

  readonly counts = (): { waitingCount: number; droppedCount: number } => ({
    waitingCount: this.#emitted.length + this.#fresh.length + this.#committed.length,
    droppedCount: this.#droppedCount,
  })

  async transact<T>(work: (db: MigrationDatabase, note: EmitEvent) => Promise<T>): Promise<T> {
    const noted: RecordedEvent[] = []
    const done = await this.#opening.db.transaction().execute(async (trx) => {
      // Run again after a conflict, it begins with nothing noted.
      noted.length = 0
      const result = await work(trx, (event) => void noted.push(recordOf(event, this.#nowMs())))
      if (noted.length > 0) {
        await trx.insertInto(eventsTable).values(noted.map(rowOf).map(this.#writer.unsealed)).execute()
      }
      return result
    })
    if (noted.length > 0) {
      this.#committed.push(...noted.map(rowOf))
      this.#write(writeAfterMs)
      this.#untold.push(...noted)
      this.#publishSoon()
    }
    return done
  }

  listen(listener: EventListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async idle(): Promise<void> {
    this.#publish()
    while (this.#hasWaiting) {
      await this.#inTurn(() => this.#writeAll())
      if (this.#isFailing) await new Promise((resolve) => setTimeout(resolve, writeAfterMs))
    }
    await this.#writing
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    clearInterval(this.#adopting)
    if (this.#opening.kind === 'server') this.emit({ event: 'sys_shutdown' })
    this.#publish()
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#checkpointTimer)
    const ended = this.#inTurn(async () => {
      await this.#writeAll()
      await this.#checkpoint()
      await this.#writer.close()
    })
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, closeMs).unref())])
    this.#publish()
    const lostCount = this.#fresh.length + this.#committed.length
    if (lostCount > 0) this.#opening.onFailure(new TrailFault(lostCount))
  }

  get #hasWaiting(): boolean {
    return this.#fresh.length + this.#committed.length + this.#dropped.size > 0
  }

  // On the path of a request: nothing but a look and a push.
  #take(event: SecurityEvent): void {
    const isImportant = kindOfEvent(event.event).isImportant
    if (!isImportant && this.#cheapCount >= this.#maxCount) {
      this.#dropped.set(event.event, (this.#dropped.get(event.event) ?? 0) + 1)
      this.#droppedCount += 1
      return
    }
    if (!isImportant) this.#cheapCount += 1
    this.#emitted.push({ event, atMs: this.#nowMs() })
    this.#publishSoon()
  }

  #publishSoon(): void {
    if (this.#isPublishing) return
    this.#isPublishing = true
    setImmediate(() => this.#publish())
  }

  #publish(): void {
    this.#isPublishing = false
    const untold = this.#untold
    const emitted = this.#emitted
    if (untold.length + emitted.length === 0) return
    this.#untold = []
    this.#emitted = []
    const records = emitted.map(({ event, atMs }) => recordOf(event, atMs))
    this.#tell([...untold, ...records])
    if (this.#isClosed || records.length === 0) return
    for (const record of records) this.#fresh.push(rowOf(record))
    this.#write(writeAfterMs)
  }

  #tell(events: readonly RecordedEvent[]): void {
    for (const listener of this.#listeners) {
      try {
        listener(events)
      } catch (error) {
        this.#opening.onFailure(error)
      }
    }
  }

  #write(afterMs: number): void {
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
        this.#retryMs = retryMinMs
      },
      (error: unknown) => {
        if (!this.#isFailing) this.#opening.onFailure(error)
        this.#isFailing = true
        this.#write(this.#retryMs)
        this.#retryMs = Math.min(retryMaxMs, this.#retryMs * 2)
      },
    )
    return this.#writing
  }

  async #writeAll(): Promise<void> {
    while (this.#hasWaiting) {
      this.#noteDropped()
      // The same rows again after a failure: they may have been committed, and are known by what they are.
      this.#batch ??= {
        fresh: this.#fresh.slice(0, batchCount),
        committed: this.#committed.slice(0, batchCount),
      }
      const { fresh, committed } = this.#batch
      const { missing, isPredecessorThere } = await this.#writer.seal(this.#batch)
      this.#batch = undefined
      this.#fresh.splice(0, fresh.length)
      this.#committed.splice(0, committed.length)
      this.#cheapCount -= fresh.filter(isCheap).length
      for (const { id } of missing) this.#tampered('a row was removed before it was sealed', { id })
      if (!isPredecessorThere) this.#tampered('the last row of the chain is not there as it was written', {})
      if (this.#writer.uncheckedCount >= checkpointRowCount) await this.#checkpoint()
      else this.#checkpointSoon()
    }
  }

  #noteDropped(): void {
    if (this.#dropped.size === 0) return
    const details = Object.fromEntries([...this.#dropped].slice(0, 16))
    this.#dropped = new Map([...this.#dropped].slice(16))
    const record = recordOf({ event: 'audit_events_dropped', details }, this.#nowMs())
    this.#fresh.push(rowOf(record))
    this.#untold.push(record)
    this.#publishSoon()
  }

  #tampered(reason: string, details: Readonly<Record<string, string>>): void {
    // Said once: whoever looks runs `holdfast events verify`, which names every row.
    if (this.#isTampered) return
    this.#isTampered = true
    this.emit({ event: 'audit_tampering', reason, details: { ...details, chain: this.chain } })
  }

  #checkpointSoon(): void {
    if (this.#checkpointTimer !== undefined || this.#isClosed || this.#writer.uncheckedCount === 0) return
    // The first at once: it says how far all other chains had come when this one began.
    const isFirst = this.#writer.head.seq === this.#writer.uncheckedCount
    this.#checkpointTimer = setTimeout(
      () => {
        this.#checkpointTimer = undefined
        void this.#inTurn(() => this.#checkpoint())
      },
      isFirst ? 0 : checkpointMs,
    )
    this.#checkpointTimer.unref()
  }

  async #checkpoint(): Promise<void> {
    const written = await this.#writer.checkpoint()
    if (written !== null) this.#opening.onCheckpoint?.(written)
  }

  async #adopt(): Promise<void> {
    const ours = new Set(this.#committed.map(({ id }) => id))
    const before = new Date(this.#nowMs() - adoptAfterMs).toISOString()
    const count = await this.#writer.adopt(before, this.#opening.keys, (id) => ours.has(id))
    if (count === 0) return
    const details = { rows: count }
    this.emit({ event: 'sys_crash', reason: 'rows of a process that has died were sealed late', details })
  }
}

function isCheap({ event }: EventRow): boolean {
  return isEventName(event) && !kindOfEvent(event).isImportant
}
