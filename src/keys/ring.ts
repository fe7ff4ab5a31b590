import type { DataKey, KeyRing } from '../crypto/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import { KeyFault } from './fault.ts'
import type { KeyEncryption } from './key-encryption.ts'
import { keysTable } from './migration.ts'
import { isoTime, type KeyRecord, makeDataKey, readRecords } from './records.ts'

/** The keys of a node, kept up to date with the table. */
export interface LiveKeyRing extends KeyRing {
  /** The ids of the live keys. */
  readonly ids: readonly string[]
  /** The key that waits for its time, and when that is, in milliseconds since 1970. */
  readonly next: { readonly id: string; readonly from: number } | undefined
  /** Reads the table again; calls that come meanwhile wait for the same reading. @throws KeyFault, UNAVAILABLE */
  refresh(): Promise<void>
  /** The key of an id that may be newer than the last reading. Reads the table at most once a second. */
  find(id: string): Promise<DataKey | undefined>
  /** Ends the regular reading. */
  close(): void
}

/** How a ring keeps itself up to date. */
export interface KeyRingOptions {
  /** How often the table is read, in milliseconds. */
  readonly refreshMs?: number
  /** Told when a regular reading fails, for the log. */
  readonly onFailure?: (error: unknown) => void
  /** The wall clock, in milliseconds since 1970. */
  readonly now?: () => number
}

/**
 * How old a reading may be for sealing and for lookups, in milliseconds. A node that has lost touch with the table
 * must not go on to seal under a key that is about to be destroyed, nor to look for values under old keys only.
 */
export const ringMaxAgeMs = 300_000

const refreshEveryMs = 60_000
const findEveryMs = 1_000

/**
 * Reads and unwraps the keys, and makes the first one when there is none. Nodes that start at once agree on one key.
 *
 * @param db Without row rules.
 * @throws KeyFault when a key does not open.
 * @example const ring = await loadKeyRing(database.db, rootKeyEncryption(settings.secret, settings.previousSecret))
 */
export async function loadKeyRing(
  db: MigrationDatabase,
  kek: KeyEncryption,
  options: KeyRingOptions = {},
): Promise<LiveKeyRing> {
  const now = options.now ?? Date.now
  await ensureKey(db, kek, now)
  const ring = new TableKeyRing(db, kek, now)
  await ring.refresh()
  ring.keepFresh(options.refreshMs ?? refreshEveryMs, options.onFailure ?? (() => undefined))
  return ring
}

/** Makes the first key when there is none. */
export async function ensureKey(db: MigrationDatabase, kek: KeyEncryption, now: () => number): Promise<void> {
  const records = await readRecords(db)
  if (records.some(({ state }) => state === 'active')) return
  const { id, key } = makeDataKey()
  const at = isoTime(now())
  await db
    .insertInto(keysTable)
    .values({ id, state: 'active', wrapped: await kek.wrap(key, id), createdAt: at, activeFrom: at })
    // Another node was faster: its key is the one.
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

interface LiveKey extends DataKey {
  /** In milliseconds since 1970. */
  readonly activeFrom: number
}

class TableKeyRing implements LiveKeyRing {
  readonly #db: MigrationDatabase
  readonly #kek: KeyEncryption
  readonly #now: () => number
  /** Newest first. */
  #live: readonly LiveKey[] = []
  #readAt = 0
  #reading: Promise<void> | undefined
  #soughtAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(db: MigrationDatabase, kek: KeyEncryption, now: () => number) {
    this.#db = db
    this.#kek = kek
    this.#now = now
  }

  get active(): DataKey {
    this.#requireFresh()
    return this.#sealing()
  }

  get keys(): readonly DataKey[] {
    this.#requireFresh()
    const active = this.#sealing()
    return [active, ...this.#live.filter((key) => key !== active)]
  }

  get ids(): readonly string[] {
    return this.#live.map(({ id }) => id)
  }

  get next(): { readonly id: string; readonly from: number } | undefined {
    const [newest] = this.#live
    return newest === undefined || newest.activeFrom <= this.#now()
      ? undefined
      : { id: newest.id, from: newest.activeFrom }
  }

  byId(id: string): DataKey | undefined {
    return this.#live.find((key) => key.id === id)
  }

  async find(id: string): Promise<DataKey | undefined> {
    const known = this.byId(id)
    if (known !== undefined) return known
    // A text with a made-up key id must not cost a query each time it is read.
    if (this.#reading === undefined && Math.abs(this.#now() - this.#soughtAt) < findEveryMs) return undefined
    this.#soughtAt = this.#now()
    await this.refresh()
    return this.byId(id)
  }

  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  keepFresh(everyMs: number, onFailure: (error: unknown) => void): void {
    this.#timer = setInterval(() => {
      this.refresh().catch(onFailure)
    }, everyMs)
    // It alone does not keep a process alive.
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #read(): Promise<void> {
    // The age counts from before the query: what it gives may be as old as that.
    const readAt = this.#now()
    const records = await readRecords(this.#db)
    const live: LiveKey[] = []
    for (const record of records) if (record.state !== 'destroyed') live.push(await this.#unwrapped(record))
    if (live.length === 0)
      throw new KeyFault(`The table ${keysTable} has no live key any more. Restore it from a backup.`)
    this.#live = live
    this.#readAt = readAt
  }

  async #unwrapped({ id, wrapped, activeFrom }: KeyRecord): Promise<LiveKey> {
    // Unwrapped once: a key never changes, only what it is wrapped in.
    const known = this.#live.find((key) => key.id === id)
    if (known !== undefined) return known
    if (wrapped === null)
      throw new KeyFault(`The key ${id} in ${keysTable} is empty. Restore the table from a backup.`)
    return { id, key: await this.#kek.unwrap(wrapped, id), activeFrom: Date.parse(activeFrom) }
  }

  #requireFresh(): void {
    // A clock that was set back by more than that tells nothing about the age either.
    if (Math.abs(this.#now() - this.#readAt) <= ringMaxAgeMs) return
    throw new Problem('UNAVAILABLE', 'the keys of encrypted columns have not been read for too long', {
      headers: { 'retry-after': '5' },
    })
  }

  #sealing(): LiveKey {
    const now = this.#now()
    // Before its time, every key is there; the first one seals at once, also where a clock is behind.
    const sealing = this.#live.find(({ activeFrom }) => activeFrom <= now) ?? this.#live.at(-1)
    if (sealing !== undefined) return sealing
    throw new Problem('UNAVAILABLE', 'there are no keys for encrypted columns')
  }
}
