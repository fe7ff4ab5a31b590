import { Kysely, sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { plainGuard } from '../../../test/kit/plain-guard.ts'
import { type FreshPostgres, freshPostgres } from '../../../test/kit/postgres.ts'
import { type PostgresWire, postgresWire } from '../../../test/kit/postgres-wire.ts'
import { Secret } from '../../base/index.ts'
import type { QueryPlan, SessionIdentity } from '../engine.ts'
import { type Database, databaseOn } from '../open.ts'
import { PostgresEngine, type PostgresOptions } from './engine.ts'
import { appRoleOf } from './target.ts'

interface Tables {
  notes: { id: string; owner: string }
  holdfast_state: { count: number }
}

let postgres: FreshPostgres
let owner: Database
let appRole: string

beforeAll(async () => {
  postgres = await freshPostgres()
  appRole = appRoleOf(new Secret(postgres.url))
  owner = databaseOn(new PostgresEngine(new Secret(postgres.url)))
  for (const statement of [
    `create role ${appRole} nologin`,
    'create table notes (id text primary key, owner text not null)',
    `create policy own on notes to ${appRole} using (owner = current_setting('holdfast.user', true)
      or nullif(current_setting('holdfast.lifted', true), '')::jsonb -> 'notes' = 'true')`,
    'alter table notes enable row level security',
    `grant select, insert, update, delete on notes to ${appRole}`,
  ])
    await sql.raw(statement).execute(owner.db)
})

beforeEach(async () => {
  await sql`truncate notes`.execute(owner.db)
  await sql`insert into notes values ('a', 'ann'), ('b', 'ben')`.execute(owner.db)
})

afterAll(async () => {
  await owner.close()
  await postgres.drop()
})

const engines: PostgresEngine[] = []

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close()
})

/** An engine with one connection for requests, so that each caller gets the one of the caller before. */
function oneConnection(url: string = postgres.url, options: PostgresOptions = {}): PostgresEngine {
  const engine = new PostgresEngine(new Secret(url), { appRole, connectionCount: 1, ...options })
  engines.push(engine)
  return engine
}

function as(engine: PostgresEngine, identity: Partial<SessionIdentity>, plan?: Partial<QueryPlan>) {
  return new Kysely<Tables>({ dialect: engine.dialect(plainGuard(identity, plan)) })
}

const settingNames = ['user', 'tenant', 'roles', 'lifted']

/** What the session says of the caller, and which session it is. */
async function told(db: Kysely<Tables>): Promise<Record<string, unknown>> {
  const settings = settingNames.map((name) =>
    sql<string>`current_setting(${sql.lit(`holdfast.${name}`)}, true)`.as(name),
  )
  return await db
    .selectNoFrom([
      ...settings,
      sql<string>`current_user::text`.as('role'),
      sql<number>`pg_backend_pid()`.as('pid'),
    ])
    .executeTakeFirstOrThrow()
}

const idsOf = async (db: Kysely<Tables>): Promise<string[]> =>
  (await db.selectFrom('notes').select('id').orderBy('id').execute()).map(({ id }) => id)

const ann = { user: 'ann', tenant: 'acme', roles: '["admin"]', lifted: '{"x":"1"}' }

describe('V8.2.2 a guarded session', () => {
  it('says for whom it works, as the role of requests', async () => {
    const engine = oneConnection()
    expect(await told(as(engine, ann))).toMatchObject({ ...ann, role: appRole })
    await as(engine, ann)
      .transaction()
      .execute(async (trx) => {
        expect(await told(trx)).toMatchObject({ ...ann, role: appRole })
        expect(await told(trx)).toMatchObject({ ...ann, role: appRole })
      })
  })

  it('takes whatever stands in an identity as text', async () => {
    const hostile = { user: `'); set role postgres; --`, tenant: `\\'; select 1; --`, roles: `["a'b\\\\"]` }
    const engine = oneConnection()
    expect(await told(as(engine, hostile))).toMatchObject({ ...hostile, role: appRole })
    const inside = await as(engine, hostile)
      .transaction()
      .execute((trx) => told(trx))
    expect(inside).toMatchObject({ ...hostile, role: appRole })
  })

  it('sees and changes what the policies leave to the caller', async () => {
    const engine = oneConnection()
    expect(await idsOf(as(engine, ann))).toEqual(['a'])
    const { numUpdatedRows } = await as(engine, ann)
      .updateTable('notes')
      .set({ id: 'c' })
      .where('id', '=', 'b')
      .executeTakeFirstOrThrow()
    expect(numUpdatedRows).toBe(0n)
    const insert = as(engine, ann).insertInto('notes').values({ id: 'd', owner: 'ben' }).execute()
    await expect(insert).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await idsOf(as(engine, {}))).toEqual([])
  })

  it('leaves a session without a guard to its own role', async () => {
    const engine = oneConnection()
    await told(as(engine, ann))
    const db = new Kysely<Tables>({ dialect: engine.dialect() })
    expect(await told(db)).toMatchObject({ user: null, role: 'postgres' })
  })

  it('lifts the second wall for one statement and no longer', async () => {
    const engine = oneConnection()
    const lifts = ['notes']
    expect(await idsOf(as(engine, { user: 'ann' }, { lifts }))).toEqual(['a', 'b'])
    expect(await idsOf(as(engine, { user: 'ann' }))).toEqual(['a'])
    let plan: Partial<QueryPlan> = {}
    const guard = plainGuard(ann)
    const db = new Kysely<Tables>({
      dialect: engine.dialect({ ...guard, planOf: (query) => ({ ...guard.planOf(query), ...plan }) }),
    })
    await db.transaction().execute(async (trx) => {
      plan = { lifts }
      expect(JSON.parse(String((await told(trx))['lifted']))).toEqual({ x: '1', notes: true })
      plan = {}
      expect(await told(trx)).toMatchObject(ann)
      expect(await idsOf(trx)).toEqual(['a'])
    })
  })
})

describe('V8.2.2 who a session worked for is gone for the next caller', () => {
  type Ending = (engine: PostgresEngine) => Promise<void>
  const nobody = { user: '', tenant: '', roles: '[]', lifted: '{}' }
  const blank = (value: unknown): boolean =>
    value === '' || value === null || value === '[]' || value === '{}'

  const neverEnded = 'after a transaction that was never ended'

  const endings: [string, Ending][] = [
    ['after a query', async (engine) => void (await told(as(engine, ann)))],
    [
      'after a query that fails',
      async (engine) => {
        const query = as(engine, ann).selectNoFrom(sql`1 / 0`.as('n')).execute()
        await expect(query).rejects.toMatchObject({ code: 'INTERNAL' })
      },
    ],
    [
      'after a query whose rows cannot be read',
      async (engine) => {
        const query = as(engine, ann).selectNoFrom(sql`9007199254740993::int8`.as('n')).execute()
        await expect(query).rejects.toMatchObject({ code: 'INTERNAL' })
      },
    ],
    [
      'after a query with a lift',
      async (engine) => void (await idsOf(as(engine, ann, { lifts: ['notes'] }))),
    ],
    [
      'after a transaction',
      async (engine) =>
        void (await as(engine, ann)
          .transaction()
          .execute((trx) => told(trx))),
    ],
    [
      'after a transaction that its caller breaks off',
      async (engine) => {
        const broken = as(engine, ann)
          .transaction()
          .execute(async (trx) => {
            await told(trx)
            throw new RangeError('off')
          })
        await expect(broken).rejects.toThrow('off')
      },
    ],
    [
      'after a transaction whose statement fails during a lift',
      async (engine) => {
        const broken = as(engine, ann, { lifts: ['notes'] })
          .transaction()
          .execute((trx) => trx.insertInto('notes').values({ id: 'a', owner: 'ann' }).execute())
        await expect(broken).rejects.toMatchObject({ code: 'CONFLICT' })
      },
    ],
    [
      'after a statement that takes too long',
      async (engine) => {
        const slow = as(engine, ann).selectNoFrom(sql`pg_sleep(9)`.as('n')).execute()
        await expect(slow).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      },
    ],
    [
      'after a transaction that ends in a time-out',
      async (engine) => {
        const slow = as(engine, ann)
          .transaction()
          .execute((trx) => trx.selectNoFrom(sql`pg_sleep(9)`.as('n')).execute())
        await expect(slow).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      },
    ],
    [
      neverEnded,
      async (engine) => {
        const connection = as(engine, ann).connection()
        await connection.execute(async (db) => void (await db.startTransaction().execute()))
      },
    ],
    [
      'after a query that its caller no longer waits for',
      async (engine) => {
        const leave = new AbortController()
        const query = as(engine, ann)
          .selectNoFrom(sql`pg_sleep(0.05)`.as('n'))
          .execute({ signal: leave.signal })
        setImmediate(() => leave.abort())
        await expect(query).rejects.toThrow('abort')
      },
    ],
    [
      'after several rows of which the rules refuse one',
      async (engine) => {
        const insert = as(engine, ann, { mustChangeCount: 3 })
          .insertInto('notes')
          .values([
            { id: 'x', owner: 'ann' },
            { id: 'y', owner: 'ann' },
          ])
          .execute()
        await expect(insert).rejects.toMatchObject({ code: 'NOT_FOUND' })
        expect(await idsOf(as(engine, ann))).toEqual(['a'])
      },
    ],
  ]
  for (const [name, end] of endings) {
    it(name, async () => {
      const engine = oneConnection(postgres.url, { statementMs: 150 })
      const { pid } = await told(as(engine, ann))
      await end(engine)
      const next = await told(as(engine, nobody))
      // The very connection that it had, or the test proves nothing; but never one whose transaction is open.
      if (name === neverEnded) expect(next['pid']).not.toBe(pid)
      else expect(next['pid']).toBe(pid)
      for (const setting of settingNames) expect(next[setting]).toSatisfy(blank)
      expect(await idsOf(as(engine, nobody))).toEqual([])
      expect(await idsOf(as(engine, { user: 'ben' }))).toEqual(['b'])
    })
  }

  it('with many callers at once on few connections', async () => {
    const engine = oneConnection(postgres.url, { connectionCount: 3 })
    const callers = Array.from({ length: 60 }, (_, index) => `user${index}`)
    const heard = await Promise.all(
      callers.map(async (user, index) => {
        const db = as(engine, { user })
        if (index % 3 === 0) return (await db.transaction().execute((trx) => told(trx)))['user']
        return (await told(db))['user']
      }),
    )
    expect(heard).toEqual(callers)
  })
})

describe('telling who it is', () => {
  let proxy: PostgresWire

  beforeEach(async () => {
    proxy = await postgresWire(postgres.url)
  })

  afterEach(() => proxy.close())

  it('takes no round trip of its own', async () => {
    const engine = oneConnection(proxy.url)
    await told(as(engine, ann))
    const before = proxy.roundTrips()
    expect(await idsOf(as(engine, ann))).toEqual(['a'])
    expect(await idsOf(as(engine, { user: 'ben' }))).toEqual(['b'])
    expect(proxy.roundTrips() - before).toBe(2)
  })

  it('takes none in a transaction either, which costs its two ends', async () => {
    const engine = oneConnection(proxy.url)
    await told(as(engine, ann))
    const before = proxy.roundTrips()
    await as(engine, ann)
      .transaction()
      .execute((trx) => idsOf(trx))
    expect(proxy.roundTrips() - before).toBe(3)
  })

  it('sends the text of a statement once for each connection', async () => {
    const engine = oneConnection(proxy.url)
    for (let turn = 0; turn < 5; turn += 1) await idsOf(as(engine, ann))
    expect(proxy.sent().split('from "notes"')).toHaveLength(2)
  })
})
