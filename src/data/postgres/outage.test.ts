import { Kysely, sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { plainGuard } from '../../../test/kit/plain-guard.ts'
import { type FreshPostgres, freshPostgres } from '../../../test/kit/postgres.ts'
import { type PostgresWire, postgresWire } from '../../../test/kit/postgres-wire.ts'
import { Secret } from '../../base/index.ts'
import type { AnyTables } from '../open.ts'
import { PostgresEngine, type PostgresOptions } from './engine.ts'

let postgres: FreshPostgres
let wire: PostgresWire
const engines: PostgresEngine[] = []

beforeAll(async () => {
  postgres = await freshPostgres()
})

afterAll(() => postgres.drop())

beforeEach(async () => {
  wire = await postgresWire(postgres.url)
})

afterEach(async () => {
  await wire.close()
  for (const engine of engines.splice(0)) await engine.close()
})

function engineOn(url: string, options: PostgresOptions = {}): PostgresEngine {
  const engine = new PostgresEngine(new Secret(url), options)
  engines.push(engine)
  return engine
}

function guarded(engine: PostgresEngine): Kysely<AnyTables> {
  return new Kysely({ dialect: engine.dialect(plainGuard({ user: 'ann' })) })
}

const ask = async (db: Kysely<AnyTables>): Promise<unknown> =>
  (await db.selectNoFrom(sql<number>`1`.as('n')).execute())[0]?.n

const unavailable = { code: 'UNAVAILABLE', headers: { 'retry-after': expect.stringMatching(/^[1-9]$/) } }

/** Runs it and says how long it took, in milliseconds. */
async function timed(run: Promise<unknown>): Promise<{ error: unknown; ms: number }> {
  const before = performance.now()
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return { error, ms: performance.now() - before }
}

/** Asks until there is an answer; fails when there is none within 3 seconds. */
async function untilAnswered(db: Kysely<AnyTables>): Promise<void> {
  await expect.poll(() => ask(db).catch(() => 'not yet'), { interval: 20, timeout: 3_000 }).toBe(1)
}

describe('V16.5.2 a database that goes away', () => {
  it('is answered for at once, and comes back by itself', async () => {
    const engine = engineOn(wire.url, { connectionCount: 3 })
    const db = guarded(engine)
    await Promise.all([ask(db), ask(db), ask(db)])
    await wire.cut()
    for (let turn = 0; turn < 20; turn += 1) {
      const { error, ms } = await timed(ask(db))
      expect(error).toMatchObject(unavailable)
      expect(ms).toBeLessThan(500)
    }
    await expect(engine.check()).rejects.toMatchObject(unavailable)
    await wire.restore()
    await untilAnswered(db)
    await engine.check()
    expect(await Promise.all([ask(db), ask(db), ask(db)])).toEqual([1, 1, 1])
  })

  it('takes the statement that was running with it', async () => {
    const db = guarded(engineOn(wire.url))
    await ask(db)
    const running = timed(db.selectNoFrom(sql`pg_sleep(5)`.as('slept')).execute())
    await expect.poll(() => wire.sent().includes('pg_sleep')).toBe(true)
    await wire.cut()
    const { error, ms } = await running
    expect(error).toMatchObject(unavailable)
    expect(ms).toBeLessThan(1_000)
    await wire.restore()
    await untilAnswered(db)
  })

  it('V2.3.3 takes an open transaction back', async () => {
    const db = guarded(engineOn(wire.url))
    const jobs = new Kysely<AnyTables>({ dialect: engineOn(postgres.url).dialect() })
    await sql`create table if not exists cut (id text)`.execute(jobs)
    const broken = db.transaction().execute(async (trx) => {
      await trx.insertInto('cut').values({ id: 'a' }).execute()
      await wire.cut()
      await trx.insertInto('cut').values({ id: 'b' }).execute()
    })
    await expect(broken).rejects.toMatchObject(unavailable)
    await wire.restore()
    await untilAnswered(db)
    expect(await jobs.selectFrom('cut').selectAll().execute()).toEqual([])
  })

  it('keeps what a handler has thrown when the way back is cut as well', async () => {
    const db = guarded(engineOn(wire.url))
    const broken = db.transaction().execute(async (trx) => {
      await ask(trx)
      await wire.cut()
      throw new RangeError('of the handler')
    })
    await expect(broken).rejects.toThrow('of the handler')
  })

  it('that falls silent holds no request longer than a statement may take', async () => {
    const options = { connectionCount: 2, statementMs: 100, connectMs: 300 }
    const db = guarded(engineOn(wire.url, options))
    await Promise.all([ask(db), ask(db)])
    wire.freeze()
    const turns = await Promise.all([timed(ask(db)), timed(ask(db)), timed(ask(db)), timed(ask(db))])
    for (const { error, ms } of turns) {
      expect(error).toMatchObject(unavailable)
      // The statement's time and the two seconds that the server has to say that it is over.
      expect(ms).toBeLessThan(3_000)
    }
    // New connections time out too, and from then on nobody waits.
    expect((await timed(ask(db))).error).toMatchObject(unavailable)
    const { error, ms } = await timed(ask(db))
    expect(error).toMatchObject(unavailable)
    expect(ms).toBeLessThan(100)
    await wire.restore()
    await untilAnswered(db)
  })

  it('that ends its sessions is met with new ones', async () => {
    const db = guarded(engineOn(postgres.url))
    const jobs = new Kysely<AnyTables>({ dialect: engineOn(postgres.url).dialect() })
    await ask(db)
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.execute(jobs)
    await untilAnswered(db)
  })
})

describe('V13.2.6 a pool', () => {
  it('with no free connection answers after a while, and is not taken for an outage', async () => {
    const db = guarded(engineOn(postgres.url, { connectionCount: 2, connectMs: 100 }))
    const held = Promise.withResolvers<void>()
    const taken = [0, 1].map(() => {
      const isTaken = Promise.withResolvers<void>()
      const done = db.transaction().execute(async (trx) => {
        await ask(trx)
        isTaken.resolve()
        await held.promise
      })
      return { isTaken: isTaken.promise, done }
    })
    await Promise.all(taken.map(({ isTaken }) => isTaken))
    const { error, ms } = await timed(ask(db))
    expect(error).toMatchObject({ ...unavailable, reason: 'every connection is in use' })
    expect(ms).toBeLessThan(1_000)
    // And again: the next one waits for its turn as well, and is not sent away.
    expect((await timed(ask(db))).error).toMatchObject({ reason: 'every connection is in use' })
    held.resolve()
    await Promise.all(taken.map(({ done }) => done))
    expect(await ask(db)).toBe(1)
  })

  it('opens no more connections than it may', async () => {
    const name = new URL(postgres.url).pathname.slice(1)
    const engine = engineOn(postgres.url, { connectionCount: 3 })
    const db = guarded(engine)
    const jobs = new Kysely<AnyTables>({ dialect: engineOn(postgres.url, { connectionCount: 1 }).dialect() })
    await Promise.all(Array.from({ length: 30 }, () => ask(db)))
    const { rows } = await sql<{ n: number }>`select count(*) as n from pg_stat_activity
      where datname = ${name} and application_name = 'holdfast' and pid <> pg_backend_pid()`.execute(jobs)
    expect(rows[0]?.n).toBe(3)
  })

  it('connects to nothing before it is asked, and ends once', async () => {
    const engine = engineOn(wire.url)
    guarded(engine)
    expect(wire.roundTrips()).toBe(0)
    await engine.close()
    await engine.close()
    await expect(ask(guarded(engine))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('V13.2.2 says what is missing when there is no role to run as', async () => {
    const db = guarded(engineOn(postgres.url, { appRole: 'holdfast_app_of_nobody' }))
    await expect(ask(db)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      reason: expect.stringContaining('holdfast migrate up'),
    })
  })

  it('says so when the server has no such database', async () => {
    const url = new URL(postgres.url)
    url.pathname = '/holdfast_of_nobody'
    const db = guarded(engineOn(url.href))
    await expect(ask(db)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'the server has no such database',
    })
  })
})

describe('prepared statements', () => {
  it('stay bounded however many different texts there are', async () => {
    const engine = engineOn(postgres.url, { connectionCount: 1 })
    const db = new Kysely<AnyTables>({ dialect: engine.dialect() })
    for (let turn = 0; turn < 10_000; turn += 1) {
      const text = `select ${turn} as n`
      if (turn % 1_000 === 0) expect((await sql.raw<{ n: number }>(text).execute(db)).rows[0]?.n).toBe(turn)
      else await sql.raw(text).execute(db)
    }
    const { rows } = await sql<{ n: number }>`select count(*) as n from pg_prepared_statements`.execute(db)
    expect(rows[0]?.n).toBe(200)
  })

  it('are made again when a migration has changed their table', async () => {
    const engine = engineOn(postgres.url, { connectionCount: 1 })
    const db = new Kysely<AnyTables>({ dialect: engine.dialect() })
    const read = () => db.selectFrom('changing').selectAll().execute()
    await sql`create table changing (a int)`.execute(db)
    await sql`insert into changing values (1)`.execute(db)
    expect(await read()).toEqual([{ a: 1 }])
    await sql`alter table changing add column b text default 'new'`.execute(db)
    expect(await read()).toEqual([{ a: 1, b: 'new' }])
    await sql`alter table changing alter column a type text`.execute(db)
    expect(await read()).toEqual([{ a: '1', b: 'new' }])
    // What is remembered of the columns must not name one after another.
    await sql`alter table changing rename column a to c`.execute(db)
    await sql`alter table changing rename column b to a`.execute(db)
    expect(await read()).toEqual([{ c: '1', a: 'new' }])
  })

  it('give the same rows each time, with and without columns', async () => {
    const db = new Kysely<AnyTables>({ dialect: engineOn(postgres.url, { connectionCount: 1 }).dialect() })
    await sql`create table repeated (a int, b text)`.execute(db)
    for (const b of ['x', null, 'y']) {
      const insert = db.insertInto('repeated').values({ a: 1, b })
      expect(await insert.execute()).toMatchObject([{ numInsertedOrUpdatedRows: 1n }])
      expect(await insert.returning(['b', 'a']).execute()).toEqual([{ b, a: 1 }])
      expect(await db.selectFrom('repeated').select(['a', 'b']).where('a', '=', 2).execute()).toEqual([])
      expect(await db.deleteFrom('repeated').where('a', '=', 1).returning('b').execute()).toEqual([
        { b },
        { b },
      ])
    }
  })

  it('are made again for the transaction after the one that they fail', async () => {
    const engine = engineOn(postgres.url, { connectionCount: 1 })
    const jobs = new Kysely<AnyTables>({ dialect: engine.dialect() })
    const db = guarded(engine)
    await sql`create table changed (a int)`.execute(jobs)
    const read = () => db.transaction().execute((trx) => trx.selectFrom('changed').selectAll().execute())
    await read()
    await sql`alter table changed add column b text`.execute(jobs)
    await expect(read()).rejects.toMatchObject(unavailable)
    expect(await read()).toEqual([])
  })

  it('that the server has forgotten are made again', async () => {
    const engine = engineOn(postgres.url, { connectionCount: 1 })
    const db = guarded(engine)
    const jobs = new Kysely<AnyTables>({ dialect: engine.dialect() })
    await ask(db)
    await ask(jobs)
    await sql`deallocate all`.execute(jobs)
    expect(await ask(jobs)).toBe(1)
  })
})
