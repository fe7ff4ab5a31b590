import { type EventName, isEventName, kindOfEvent } from '../events/index.ts'
import type { WaitingRows } from './chain-writer.ts'
import type { EventRow } from './row.ts'

/** Rows that wait to be written. What matters always stays; of what anybody can cause, so many. */
export class WaitingList {
  readonly #cheapMaxCount: number
  #fresh: EventRow[] = []
  #committed: EventRow[] = []
  #cheapCount = 0
  #dropped = new Map<EventName, number>()
  #droppedCount = 0

  constructor(cheapMaxCount: number) {
    this.#cheapMaxCount = cheapMaxCount
  }

  get count(): number {
    return this.#fresh.length + this.#committed.length
  }

  get isEmpty(): boolean {
    return this.count + this.#dropped.size === 0
  }

  /** How many have been dropped since the start. */
  get droppedCount(): number {
    return this.#droppedCount
  }

  /** Takes the row of an event, or counts it when too many wait. */
  add(row: EventRow): void {
    if (isCheap(row)) {
      if (this.#cheapCount >= this.#cheapMaxCount) {
        if (isEventName(row.event)) this.drop(row.event)
        return
      }
      this.#cheapCount += 1
    }
    this.#fresh.push(row)
  }

  /** Takes rows that are in the table and have no place yet. */
  addCommitted(rows: readonly EventRow[]): void {
    this.#committed.push(...rows)
  }

  hasCommitted(id: string): boolean {
    return this.#committed.some((row) => row.id === id)
  }

  /** Counts an event instead of keeping it. */
  drop(event: EventName): void {
    this.#dropped.set(event, (this.#dropped.get(event) ?? 0) + 1)
    this.#droppedCount += 1
  }

  /** How many of each name have been dropped since it was asked last. */
  takeDropped(): Readonly<Record<string, number>> | null {
    if (this.#dropped.size === 0) return null
    const dropped = Object.fromEntries(this.#dropped)
    this.#dropped = new Map()
    return dropped
  }

  /** The next rows to be written. They stay until {@link done}. */
  next(limit: number): WaitingRows {
    return { fresh: this.#fresh.slice(0, limit), committed: this.#committed.slice(0, limit) }
  }

  /** Takes away what {@link next} has given. */
  done({ fresh, committed }: WaitingRows): void {
    this.#fresh.splice(0, fresh.length)
    this.#committed.splice(0, committed.length)
    this.#cheapCount -= fresh.filter(isCheap).length
  }
}

function isCheap({ event }: EventRow): boolean {
  return isEventName(event) && !kindOfEvent(event).isImportant
}
