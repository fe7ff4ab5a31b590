import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { emitMany, type TrailWorld, trailWorld } from '../../test/kit/audit.ts'
import { engineKinds } from '../../test/kit/databases.ts'
import type { RecordedEvent } from '../events/index.ts'
import {
  type EventFilter,
  eventOfRow,
  eventsQuery,
  eventsTable,
  type FollowedBatch,
  followTrail,
  type OpenTrail,
} from './index.ts'
import { eachEvent, latestEvents } from './list.ts'

const soon = { timeout: 20_000, interval: 10 }

describe.each(engineKinds)('reading the trail on %s', { timeout: 60_000 }, (engine) => {
  let world: TrailWorld
  let trail: OpenTrail
  const stops: (() => void)[] = []
  beforeEach(async () => {
    world = await trailWorld(engine)
    trail = world.open()
  })
  afterEach(async () => {
    for (const stop of stops.splice(0)) stop()
    await trail.close()
    await world.drop()
  })

  const about = async (filter: EventFilter): Promise<readonly RecordedEvent[]> =>
    await latestEvents(world.db, filter, 1_000)

  it('V16.2.1 finds events by who, from where, what and when', async () => {
    await emitMany(trail, 3)
    trail.emit({
      event: 'user_created',
      userId: 'ben',
      address: '198.51.100.1',
      details: { a: null, b: false },
    })
    trail.emit({ event: 'audit_tampering' })
    await trail.idle()
    const filters: readonly (readonly [EventFilter, number])[] = [
      [{}, 5],
      [{ event: 'authn_login_fail' }, 3],
      [{ userId: 'ann' }, 3],
      [{ actorId: 'chief' }, 3],
      [{ sessionId: 's2' }, 1],
      [{ address: '198.51.100.1' }, 1],
      [{ route: 'POST /api/auth/login' }, 3],
      [{ level: 'critical' }, 1],
      [{ event: 'authn_login_fail', userId: 'ben' }, 0],
      [{ since: new Date(Date.now() - 60_000) }, 5],
      [{ since: new Date(Date.now() + 60_000) }, 0],
      [{ until: new Date(Date.now() - 60_000) }, 0],
    ]
    for (const [filter, count] of filters)
      expect(await about(filter), JSON.stringify(filter)).toHaveLength(count)
    expect(await about({ userId: 'ben' })).toMatchObject([{ details: { a: null, b: false }, level: 'warn' }])
    const all: RecordedEvent[] = []
    for await (const event of eachEvent(world.db, {})) all.push(event)
    expect(all).toEqual(await about({}))
    expect((await latestEvents(world.db, {}, 2)).map(({ event }) => event)).toEqual([
      'user_created',
      'audit_tampering',
    ])
  })

  it('V16.2.1 reads on whatever somebody has written over', async () => {
    await emitMany(trail, 1)
    await world.disarm()
    const strange = { at: 'never', event: 'x', level: 'y', outcome: 'z', details: '[1,{"a":{}}]', seq: 99 }
    await world.db.updateTable(eventsTable).set(strange).execute()
    expect(await about({})).toMatchObject([
      { atMs: 0, event: 'app_unnamed', level: 'critical', outcome: 'unknown', details: { 0: 1 } },
    ])
    await world.db.updateTable(eventsTable).set({ details: 'no JSON' }).execute()
    expect(await about({})).toMatchObject([{ details: { unreadable: true } }])
    if (engine === 'sqlite')
      await sql`update ${sql.table(eventsTable)} set seq = 1152921504606846976`.execute(world.db)
    expect(await about({})).toHaveLength(1)
    expect((await world.findings()).map(({ kind }) => kind)).toContain('forged')
  })

  it('V15.1.3 finds a page by an index, whatever is asked for', async () => {
    await sql`insert into ${sql.table(eventsTable)} (id, at, event, level, outcome, mac, chain, seq, hash, "userId")
      ${
        engine === 'postgres'
          ? sql`select lpad(n::text, 12, '0'), '', 'e' || n % 50, 'info', 'success', '', 'c', n, '', 'u' || n % 500
              from generate_series(1, 20000) n`
          : sql`with recursive t(n) as (select 1 union all select n + 1 from t where n < 20000)
              select printf('%012d', n), '', 'e' || (n % 50), 'info', 'success', '', 'c', n, '', 'u' || (n % 500) from t`
      }`.execute(world.db)
    await sql`analyze`.execute(world.db)
    const filters: readonly EventFilter[] = [
      {},
      { event: 'authn_login_fail' },
      { userId: 'u7' },
      { actorId: 'x' },
      { sessionId: 'x' },
      { address: 'x' },
      { route: 'x' },
      { level: 'critical' },
    ]
    for (const filter of filters) {
      const query = eventsQuery(world.db, filter).where('id', '<', 'z').orderBy('id', 'desc').limit(50)
      const plan = JSON.stringify(
        await (engine === 'sqlite' ? query.explain(undefined, sql`query plan`) : query.explain()),
      )
      expect(plan, JSON.stringify(filter)).toMatch(/index/i)
      expect(plan, JSON.stringify(filter)).not.toMatch(/Seq Scan|SCAN holdfast_events"|TEMP B-TREE/)
      expect(Array.isArray((await query.execute()).map(eventOfRow))).toBe(true)
    }
  })

  function follow(from?: string): FollowedBatch[] {
    const batches: FollowedBatch[] = []
    const onFailure = (error: unknown): void => void world.failures.push(error)
    stops.push(
      followTrail(world.db, { from, everyMs: 10, onFailure, onBatch: (batch) => void batches.push(batch) }),
    )
    return batches
  }
  const eventsIn = (batches: readonly FollowedBatch[]) => batches.flatMap(({ events }) => events)
  const numbersIn = (batches: readonly FollowedBatch[]) => eventsIn(batches).map(({ requestId }) => requestId)

  it('V16.2.1 tells of the events of all nodes as they are sealed, each once and in order', async () => {
    await emitMany(trail, 2)
    const batches = follow()
    await expect.poll(() => batches.length, soon).toBe(1)
    expect(eventsIn(batches)).toEqual([])
    const other = world.open()
    await Promise.all([emitMany(trail, 700), emitMany(other, 700, 'ben')])
    await expect.poll(() => eventsIn(batches).length, soon).toBe(1_400)
    const told = eventsIn(batches)
    expect(new Set(told.map(({ id }) => id)).size).toBe(1_400)
    for (const user of ['ann', 'ben'])
      expect(told.filter(({ userId }) => userId === user).map(({ requestId }) => requestId)).toEqual(
        Array.from({ length: 700 }, (_, index) => `r${index + 1}`),
      )
    await other.close()
    expect(world.failures).toEqual([])
  })

  it('V16.2.1 goes on behind a cursor, with all that happened meanwhile, on whatever node', async () => {
    await emitMany(trail, 1)
    const first = follow()
    await expect.poll(() => first.length, soon).toBe(1)
    await emitMany(trail, 2)
    await expect.poll(() => numbersIn(first), soon).toEqual(['r1', 'r2'])
    for (const stop of stops.splice(0)) stop()
    const cursor = first.at(-1)?.cursor
    await emitMany(trail, 3)
    const passing = world.open()
    await emitMany(passing, 1, 'ben')
    await passing.close()
    const again = follow(cursor)
    await expect.poll(() => eventsIn(again).length, soon).toBe(4)
    const once = follow(again.at(-1)?.cursor)
    await emitMany(trail, 1)
    await expect.poll(() => eventsIn(once).length, soon).toBe(1)
    expect(world.failures).toEqual([])
  })

  it('V16.2.1 tells of a node that was silent for a day, and misses nothing of it', async () => {
    let nowMs = Date.now() - 86_400_000
    const silent = world.open({ nowMs: () => nowMs })
    await emitMany(silent, 3)
    await emitMany(trail, 1)
    const batches = follow()
    await expect.poll(() => batches.length, soon).toBe(1)
    nowMs = Date.now()
    await emitMany(silent, 2)
    await expect.poll(() => numbersIn(batches), soon).toEqual(['r1', 'r2'])
    await silent.close()
  })

  it.each([
    'nonsense',
    '',
    Buffer.from('[]').toString('base64url'),
    Buffer.from('["2026-01-01"]').toString('base64url'),
    Buffer.from('["-271821-04-20T00:00:00.000Z"]').toString('base64url'),
    Buffer.from('["2026-01-01T00:00:00.000Z",["c",-1]]').toString('base64url'),
    Buffer.from('["2026-01-01T00:00:00.000Z",["c",1e300]]').toString('base64url'),
    Buffer.from('["2026-01-01T00:00:00.000Z",{"c":1}]').toString('base64url'),
    'x'.repeat(10_000),
  ])('V2.2.1 refuses a cursor that is none: %.40s', async (from) => {
    const options = { from, onBatch: () => undefined, onFailure: () => undefined }
    expect(() => followTrail(world.db, options)).toThrow(
      expect.objectContaining({ code: 'VALIDATION_FAILED' }),
    )
  })
})
