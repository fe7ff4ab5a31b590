import { Kysely, sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { plainGuard } from '../../../test/kit/plain-guard.ts'
import { type FreshPostgres, freshPostgres } from '../../../test/kit/postgres.ts'
import { Secret } from '../../base/index.ts'
import { isRetryable } from '../retryable.ts'
import { PostgresEngine } from './engine.ts'

interface Tables {
  counts: { id: string; n: number }
  items: { id: string; countId: string }
}

let postgres: FreshPostgres
let engine: PostgresEngine
/** With a guard, on a pool of its own; its tables are read and written by their owner. */
let db: Kysely<Tables>
let jobs: Kysely<Tables>

beforeAll(async () => {
  postgres = await freshPostgres()
  engine = new PostgresEngine(new Secret(postgres.url), {
    connectionCount: 4,
    lockMs: 300,
    statementMs: 2_000,
  })
  db = new Kysely({ dialect: engine.dialect(plainGuard({ user: 'ann' })) })
  jobs = new Kysely({ dialect: engine.dialect() })
  await sql`create table counts (id text primary key, n int8 not null)`.execute(jobs)
  await sql`create table items (id text primary key,
    "countId" text not null references counts (id) deferrable initially deferred)`.execute(jobs)
})

beforeEach(async () => {
  await sql`truncate counts, items`.execute(jobs)
  await db
    .insertInto('counts')
    .values([
      { id: 'a', n: 0 },
      { id: 'b', n: 0 },
    ])
    .execute()
})

afterAll(async () => {
  await engine.close()
  await postgres.drop()
})

const countOf = async (id: string): Promise<number | undefined> =>
  (await db.selectFrom('counts').select('n').where('id', '=', id).executeTakeFirst())?.n

const setTo = (one: Kysely<Tables>, id: string, n: number) =>
  one.updateTable('counts').set({ n }).where('id', '=', id).execute()

const levelIn = (one: Kysely<Tables>) =>
  one.selectNoFrom(sql<string>`current_setting('transaction_isolation')`.as('level')).executeTakeFirst()

/** Two transactions that both come to the same point before either goes on. */
function meeting(): () => Promise<void> {
  let there = 0
  const all = Promise.withResolvers<void>()
  return () => {
    there += 1
    if (there === 2) all.resolve()
    return all.promise
  }
}

describe('a transaction', () => {
  it('V2.3.3 is all or nothing', async () => {
    const broken = db.transaction().execute(async (trx) => {
      await setTo(trx, 'a', 1)
      await trx.insertInto('counts').values({ id: 'b', n: 1 }).execute()
    })
    await expect(broken).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await countOf('a')).toBe(0)
  })

  it('is serializable unless another level is named', async () => {
    expect(await db.transaction().execute(levelIn)).toEqual({ level: 'serializable' })
    const named = db.transaction().setIsolationLevel('read committed').execute(levelIn)
    expect(await named).toEqual({ level: 'read committed' })
    const write = db
      .transaction()
      .setAccessMode('read only')
      .execute((trx) => setTo(trx, 'a', 1))
    await expect(write).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await countOf('a')).toBe(0)
  })

  it('V2.3.4 that could not have run alone is told to give way, and to try again', async () => {
    const meet = meeting()
    const both = await Promise.allSettled(
      ['a', 'b'].map((id) =>
        db.transaction().execute(async (trx) => {
          const rows = await trx.selectFrom('counts').select('n').execute()
          await meet()
          await setTo(trx, id, rows.length)
        }),
      ),
    )
    const failed = both.filter((one) => one.status === 'rejected')
    expect(failed).toHaveLength(1)
    expect(failed[0]?.reason).toMatchObject({ code: 'UNAVAILABLE', headers: { 'retry-after': '1' } })
    expect(isRetryable(failed[0]?.reason)).toBe(true)
  })

  it('V2.3.4 that waits for one that waits for it is told to try again', async () => {
    // The server looks for a deadlock after a second of waiting; the lock time of this engine is shorter.
    const patient = new PostgresEngine(new Secret(postgres.url), { connectionCount: 2 })
    const slow = new Kysely<Tables>({ dialect: patient.dialect() })
    const meet = meeting()
    const cross = (one: string, other: string) =>
      slow.transaction().execute(async (trx) => {
        await sql`set local deadlock_timeout = '50ms'`.execute(trx)
        await setTo(trx, one, 1)
        await meet()
        await setTo(trx, other, 1)
      })
    const both = await Promise.allSettled([cross('a', 'b'), cross('b', 'a')])
    await patient.close()
    const failed = both.filter((one) => one.status === 'rejected')
    expect(failed).toHaveLength(1)
    expect(isRetryable(failed[0]?.reason)).toBe(true)
  })

  it('waits for a lock only for a while', async () => {
    const held = Promise.withResolvers<void>()
    const taken = Promise.withResolvers<void>()
    const holder = db.transaction().execute(async (trx) => {
      await setTo(trx, 'a', 1)
      taken.resolve()
      await held.promise
    })
    await taken.promise
    const before = performance.now()
    await expect(setTo(db, 'a', 2)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(performance.now() - before).toBeLessThan(1_500)
    held.resolve()
    await holder
    expect(await countOf('a')).toBe(1)
  })

  it('V2.3.3 whose commit fails leaves nothing, and its connection goes on', async () => {
    const pid = async (one: Kysely<Tables>) =>
      (await one.selectNoFrom(sql<number>`pg_backend_pid()`.as('pid')).executeTakeFirst())?.pid
    const one = new PostgresEngine(new Secret(postgres.url), { connectionCount: 1 })
    const only = new Kysely<Tables>({ dialect: one.dialect(plainGuard({})) })
    const before = await pid(only)
    const orphan = only.transaction().execute(async (trx) => {
      await setTo(trx, 'a', 7)
      await trx.insertInto('items').values({ id: 'i', countId: 'nowhere' }).execute()
    })
    await expect(orphan).rejects.toMatchObject({ code: 'CONFLICT' })
    const alone = only.insertInto('items').values({ id: 'i', countId: 'nowhere' }).execute()
    await expect(alone).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await pid(only)).toBe(before)
    expect(await only.selectFrom('items').selectAll().execute()).toEqual([])
    await setTo(only, 'b', 8)
    await one.close()
    expect([await countOf('a'), await countOf('b')]).toEqual([0, 8])
  })

  it('V2.3.3 is never told to be kept when a caught error has undone it', async () => {
    const caught = db.transaction().execute(async (trx) => {
      await setTo(trx, 'a', 9)
      await trx
        .insertInto('counts')
        .values({ id: 'b', n: 1 })
        .execute()
        .catch(() => undefined)
    })
    await expect(caught).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await countOf('a')).toBe(0)
    const goesOn = db.transaction().execute(async (trx) => {
      await trx
        .insertInto('counts')
        .values({ id: 'b', n: 1 })
        .execute()
        .catch(() => undefined)
      await setTo(trx, 'a', 9)
    })
    await expect(goesOn).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await countOf('a')).toBe(0)
  })

  it('goes back to a savepoint and on from there', async () => {
    const trx = await db.startTransaction().execute()
    await setTo(trx, 'a', 1)
    const point = await trx.savepoint('here "and" there').execute()
    await expect(trx.insertInto('counts').values({ id: 'b', n: 1 }).execute()).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    const back = await point.rollbackToSavepoint('here "and" there').execute()
    await setTo(back, 'b', 2)
    const last = await back.savepoint('last').execute()
    await setTo(last, 'b', 3)
    const released = await last.releaseSavepoint('last').execute()
    await released.commit().execute()
    expect([await countOf('a'), await countOf('b')]).toEqual([1, 3])
  })

  it('takes statements that are sent at once, one after the other', async () => {
    const warned: Error[] = []
    const onWarning = (warning: Error): void => void warned.push(warning)
    process.on('warning', onWarning)
    const counts = await db.transaction().execute(async (trx) => {
      const add = () =>
        trx
          .updateTable('counts')
          .set((q) => ({ n: q('n', '+', 1) }))
          .where('id', '=', 'a')
          .returning('n')
          .executeTakeFirst()
      return await Promise.all([add(), add(), add(), add()])
    })
    await new Promise(setImmediate)
    process.off('warning', onWarning)
    expect(counts).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }])
    expect(warned).toEqual([])
  })

  it('left open by a raw "begin" does not reach the next caller', async () => {
    const one = new PostgresEngine(new Secret(postgres.url), { connectionCount: 1 })
    const only = new Kysely<Tables>({ dialect: one.dialect() })
    await sql`begin`.execute(only)
    await setTo(only, 'a', 5)
    await one.close()
    expect(await countOf('a')).toBe(5)
  })
})

describe('several rows of which some are refused', () => {
  const insertOf = (one: Kysely<Tables>) =>
    one
      .insertInto('counts')
      .values([
        { id: 'x', n: 1 },
        { id: 'b', n: 1 },
        { id: 'y', n: 1 },
      ])
      .onConflict((conflict) => conflict.doNothing())

  it('V8.2.2 are all taken back', async () => {
    const strict = new Kysely<Tables>({ dialect: engine.dialect(plainGuard({}, { mustChangeCount: 3 })) })
    await expect(insertOf(strict).execute()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await countOf('x')).toBeUndefined()
    const returning = insertOf(strict).returning('id').execute()
    await expect(returning).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await countOf('x')).toBeUndefined()
    const within = strict.transaction().execute((trx) => insertOf(trx).execute())
    await expect(within).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await countOf('x')).toBeUndefined()
  })

  it('are kept when all are let through', async () => {
    const strict = new Kysely<Tables>({ dialect: engine.dialect(plainGuard({}, { mustChangeCount: 2 })) })
    await insertOf(strict).execute()
    expect([await countOf('x'), await countOf('y')]).toEqual([1, 1])
  })
})

describe('a query', () => {
  it('V1.2.4 that the guard has not compiled does not run', async () => {
    const foreign = jobs.updateTable('counts').set({ n: 1 }).compile()
    await expect(db.executeQuery(foreign)).rejects.toThrow('a query of somebody else')
    expect(await countOf('a')).toBe(0)
  })

  it('gives what the guard has opened of its rows', async () => {
    const opened = new Kysely<Tables>({
      dialect: engine.dialect(plainGuard({}, { opened: async (rows) => rows.map(() => ({ id: 'opened' })) })),
    })
    expect(await opened.selectFrom('counts').select('id').execute()).toEqual([
      { id: 'opened' },
      { id: 'opened' },
    ])
  })

  it('counts what it has changed', async () => {
    const updated = await db.updateTable('counts').set({ n: 1 }).executeTakeFirst()
    expect(updated.numUpdatedRows).toBe(2n)
    const deleted = await db.deleteFrom('counts').where('id', '=', 'none').executeTakeFirst()
    expect(deleted.numDeletedRows).toBe(0n)
  })

  it('streams its rows', async () => {
    const ids: string[] = []
    for await (const { id } of db.selectFrom('counts').select('id').orderBy('id').stream()) ids.push(id)
    expect(ids).toEqual(['a', 'b'])
  })

  it('is told when it takes too long, and its connection goes on', async () => {
    const hasty = new PostgresEngine(new Secret(postgres.url), { connectionCount: 1, statementMs: 100 })
    const one = new Kysely<Tables>({ dialect: hasty.dialect() })
    await expect(sql`select pg_sleep(5)`.execute(one)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'the statement took too long',
    })
    expect((await sql`select 1 as n`.execute(one)).rows).toEqual([{ n: 1 }])
    await hasty.close()
  })
})
