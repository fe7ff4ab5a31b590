import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { problemBody } from '../errors/index.ts'
import { DatabaseFault } from './fault.ts'
import { type Database, openDatabase } from './open.ts'
import { problemOf } from './sqlite/failure.ts'

let dir: string
let opened: Database[] = []

function open(path: string): Database {
  const database = openDatabase(path)
  opened.push(database)
  return database
}

async function withRows(path: string): Promise<Database> {
  const database = open(path)
  await database.db.schema
    .createTable('rows')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('pair', 'text', (column) => column.notNull())
    .execute()
  return database
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-data-'))
})

afterEach(() => {
  for (const database of opened) database.close()
  opened = []
  rmSync(dir, { recursive: true })
})

describe('opening a database', () => {
  it('V13.2.2 makes a private file in a private folder', () => {
    open(join(dir, 'data', 'app.sqlite'))
    expect(statSync(join(dir, 'data')).mode & 0o777).toBe(0o700)
    for (const file of ['app.sqlite', 'app.sqlite-wal', 'app.sqlite-shm']) {
      expect(statSync(join(dir, 'data', file)).mode & 0o777).toBe(0o600)
    }
  })

  it('leaves a file that is no database as it is', () => {
    const path = join(dir, 'letter.txt')
    writeFileSync(path, 'Dear reader, this is a letter and no database. '.repeat(100))
    const before = readFileSync(path)
    expect(() => open(path)).toThrow(DatabaseFault)
    expect(() => open(path)).toThrow('is not a SQLite database or is damaged')
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  it('says what to do about a path that cannot be', () => {
    writeFileSync(join(dir, 'file'), '')
    expect(() => open(join(dir, 'file', 'app.sqlite'))).toThrow('cannot be opened')
    expect(() => open(dir)).toThrow('cannot be opened')
  })
})

describe('a transaction', () => {
  it('V2.3.3 is all or nothing, and frees the writer when it fails', async () => {
    const { db } = await withRows(join(dir, 'app.sqlite'))
    const failing = db.transaction().execute(async (trx) => {
      await trx.insertInto('rows').values({ id: 'a', pair: 'a' }).execute()
      await trx.insertInto('rows').values({ id: 'a', pair: 'a' }).execute()
    })
    await expect(failing).rejects.toMatchObject({ code: 'CONFLICT' })
    await db.insertInto('rows').values({ id: 'b', pair: 'b' }).execute()
    expect(await db.selectFrom('rows').select('id').execute()).toEqual([{ id: 'b' }])
  })

  it('V2.3.4 is not interleaved with another, and outsiders see only what is committed', async () => {
    const { db } = await withRows(join(dir, 'app.sqlite'))
    const order: string[] = []
    const gate = Promise.withResolvers<void>()
    const first = db.transaction().execute(async (trx) => {
      await trx.insertInto('rows').values({ id: 'first', pair: '' }).execute()
      await gate.promise
      order.push('first')
    })
    const second = db.transaction().execute(async (trx) => {
      order.push('second')
      return await trx.selectFrom('rows').select('id').execute()
    })
    const alone = db
      .insertInto('rows')
      .values({ id: 'alone', pair: '' })
      .execute()
      .then(() => order.push('alone'))
    expect(await db.selectFrom('rows').select('id').execute()).toEqual([])
    gate.resolve()
    await first
    expect(await second).toEqual([{ id: 'first' }])
    await alone
    expect(order).toEqual(['first', 'second', 'alone'])
  })
})

describe('the one writer', () => {
  async function withParents(path: string): Promise<Database> {
    const database = await withRows(path)
    await database.db.schema
      .createTable('children')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('rowId', 'text')
      .addForeignKeyConstraint('parent', ['rowId'], 'rows', ['id'], (key) =>
        key.deferrable().initiallyDeferred(),
      )
      .execute()
    return database
  }

  it('V2.3.3 is free again after a commit that fails, and what follows is really committed', async () => {
    const path = join(dir, 'app.sqlite')
    const { db } = await withParents(path)
    const dangling = db
      .transaction()
      .execute((trx) => trx.insertInto('children').values({ id: 'x', rowId: 'nobody' }).execute())
    await expect(dangling).rejects.toMatchObject({ code: 'CONFLICT' })
    await db.insertInto('rows').values({ id: 'a', pair: '' }).execute()
    await db.transaction().execute((trx) => trx.insertInto('rows').values({ id: 'b', pair: '' }).execute())
    const elsewhere = open(path)
    expect(await elsewhere.db.selectFrom('rows').select('id').orderBy('id').execute()).toEqual([
      { id: 'a' },
      { id: 'b' },
    ])
    expect(await elsewhere.db.selectFrom('children').select('id').execute()).toEqual([])
  })

  it('V2.3.3 does not go on by itself when SQLite has ended the transaction', async () => {
    const { db } = await withRows(join(dir, 'app.sqlite'))
    await sql`create trigger ends_it before insert on rows when new.pair = 'end' begin select raise(rollback, 'ended'); end`.execute(
      db,
    )
    const half = db.transaction().execute(async (trx) => {
      await trx
        .insertInto('rows')
        .values({ id: 'a', pair: 'end' })
        .execute()
        .catch(() => undefined)
      await trx.insertInto('rows').values({ id: 'b', pair: '' }).execute()
    })
    await expect(half).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await db.selectFrom('rows').select('id').execute()).toEqual([])
  })

  it('V15.4.4 is not waited for without end, not even by the one that holds it', async () => {
    const database = openDatabase(join(dir, 'app.sqlite'), 50)
    opened.push(database)
    await database.db.schema.createTable('rows').addColumn('id', 'text').execute()
    const itself = database.db.transaction().execute(async () => {
      await database.db.insertInto('rows').values({ id: 'outside' }).execute()
    })
    await expect(itself).rejects.toMatchObject({ code: 'UNAVAILABLE', headers: { 'retry-after': '1' } })
    await database.db.insertInto('rows').values({ id: 'after' }).execute()
    expect(await database.db.selectFrom('rows').selectAll().execute()).toEqual([{ id: 'after' }])
  })
})

describe('a failing statement', () => {
  it('V16.5.1 tells the client nothing of it', async () => {
    const { db } = await withRows(':memory:')
    const failed = await db
      .insertInto('rows')
      .values({ id: 'canary-1', pair: null })
      .execute()
      .catch((error: unknown) => error)
    const problem = problemOf(failed)
    expect(problem.code).toBe('CONFLICT')
    expect(JSON.stringify(problemBody(problem, 'x'))).not.toMatch(/canary|rows|null|insert/i)
  })

  it('takes no value that SQLite cannot hold', async () => {
    const { db } = await withRows(':memory:')
    const odd: unknown[] = [undefined, {}, Symbol('x'), Number.NaN, Number.POSITIVE_INFINITY]
    for (const value of odd) {
      const run = db
        .selectFrom('rows')
        .select('id')
        .where('id', '=', value as string)
        .execute()
      await expect(run).rejects.toMatchObject({ code: 'INTERNAL' })
    }
  })
})

describe('several processes', () => {
  const fixture = fileURLToPath(new URL('../../test/fixtures/data/insert-rows.ts', import.meta.url))
  const start = (path: string, prefix: string, count: number) =>
    spawn(process.execPath, ['--conditions=holdfast-source', fixture, path, prefix, String(count)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })

  it('V2.3.4 lose no write on one file', async () => {
    const path = join(dir, 'app.sqlite')
    const { db } = await withRows(path)
    const children = ['x', 'y'].map((prefix) => start(path, prefix, 200))
    for (const child of children) child.stdout.resume()
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]))
    expect(codes).toEqual([0, 0])
    const { count } = await db
      .selectFrom('rows')
      .select((q) => q.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    expect(count).toBe(800)
  }, 60_000)

  it('V2.3.3 keep what was acknowledged, and nothing by halves, when one is killed', async () => {
    const path = join(dir, 'app.sqlite')
    const { db } = await withRows(path)
    for (let round = 0; round < 5; round++) {
      const child = start(path, `r${round}-`, 100_000)
      let said = ''
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        if (said.split('\n').length > 20 * (round + 1)) child.kill('SIGKILL')
      })
      await once(child, 'close')
      const acknowledged = said.split('\n').slice(0, -1)
      const rows = await db.selectFrom('rows').select('pair').where('pair', 'like', `r${round}-%`).execute()
      const pairs = Map.groupBy(rows, ({ pair }) => String(pair))
      expect(acknowledged.length).toBeGreaterThan(10)
      expect(acknowledged.filter((pair) => pairs.get(pair)?.length !== 2)).toEqual([])
      expect([...pairs].filter(([, members]) => members.length !== 2)).toEqual([])
    }
  }, 60_000)
})
