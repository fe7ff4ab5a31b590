import { sql } from 'kysely'
import {
  chainsTable,
  checkpointsTable,
  eventsMigration,
  eventsTable,
  type OpenTrail,
  openTrail,
  type TrailFinding,
  type TrailKeys,
  type TrailOpening,
  trailKeys,
  verifyTrail,
} from '../../src/audit/index.ts'
import { Secret } from '../../src/base/index.ts'
import { type Database, type MigrationDatabase, migrateUp } from '../../src/data/index.ts'
import { type EngineKind, type FreshDatabase, freshDatabase } from './databases.ts'

/** The keys of a root secret that is the same byte throughout. */
export function keysOf(byte: number): TrailKeys {
  return trailKeys(new Secret(Buffer.alloc(32, byte)), null)
}

/** A row of any of the tables. */
export type Row = Readonly<Record<string, string | number | null>>

/** A database with the tables of the trail, and what happens on it. */
export interface TrailWorld {
  readonly database: Database
  readonly db: MigrationDatabase
  readonly keys: TrailKeys
  /** What the trails of this world have told of as failures. */
  readonly failures: unknown[]
  /** Opens a trail, as another process would. */
  open(choices?: Partial<TrailOpening>): OpenTrail
  /** Takes the triggers away, as whoever owns the table can. */
  disarm(): Promise<void>
  rows(): Promise<readonly Row[]>
  checkpoints(): Promise<readonly Row[]>
  chains(): Promise<readonly Row[]>
  findings(): Promise<readonly TrailFinding[]>
  drop(): Promise<void>
}

const key = 7

/** Makes one. */
export async function trailWorld(engine: EngineKind): Promise<TrailWorld> {
  return await worldOn(await freshDatabase(engine))
}

/** Makes one on a database that is open. */
export async function worldOn({
  database,
  drop,
}: Pick<FreshDatabase, 'database' | 'drop'>): Promise<TrailWorld> {
  await migrateUp(database, [eventsMigration])
  const { db } = database
  const keys = keysOf(key)
  const failures: unknown[] = []
  const read = async (table: string, ...by: readonly string[]): Promise<readonly Row[]> => {
    let query = db.selectFrom(table).selectAll()
    for (const column of by) query = query.orderBy(column)
    return await query.execute()
  }
  return {
    database,
    db,
    keys,
    failures,
    open: (choices) =>
      openTrail({ db, keys, kind: 'job', onFailure: (error) => void failures.push(error), ...choices }),
    disarm: () => disarm(database),
    rows: () => read(eventsTable, 'chain', 'seq'),
    checkpoints: () => read(checkpointsTable, 'chain', 'kind', 'seq'),
    chains: () => read(chainsTable, 'chain'),
    findings: async () => (await verifyTrail(db, keys)).findings,
    drop,
  }
}

async function disarm({ db, engine }: Database): Promise<void> {
  if (engine.kind === 'postgres') {
    for (const table of [eventsTable, chainsTable, checkpointsTable])
      await sql.raw(`alter table ${table} disable trigger all`).execute(db)
    return
  }
  const { rows } = await sql<{ name: string }>`select name from sqlite_schema where type = 'trigger'`.execute(
    db,
  )
  for (const { name } of rows) await sql.raw(`drop trigger ${name}`).execute(db)
}

/** Emits events about an account, and waits until they are sealed. */
export async function emitMany(trail: OpenTrail, count: number, userId = 'ann'): Promise<void> {
  for (let number = 1; number <= count; number += 1)
    trail.emit({
      event: 'authn_login_fail',
      userId,
      actorId: 'chief',
      sessionId: `s${number}`,
      address: '203.0.113.9',
      route: 'POST /api/auth/login',
      requestId: `r${number}`,
      reason: 'wrong password',
      details: { attempt: number },
    })
  await trail.idle()
}
