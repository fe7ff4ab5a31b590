import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { emitMany, keysOf, type TrailWorld, trailWorld, worldOn } from '../../test/kit/audit.ts'
import { engineKinds } from '../../test/kit/databases.ts'
import { freshPostgres } from '../../test/kit/postgres.ts'
import { tcpProxy } from '../../test/kit/tcp-proxy.ts'
import { Secret } from '../base/index.ts'
import { openPostgres } from '../data/index.ts'
import type { RecordedEvent } from '../events/index.ts'
import { eventsTable, type OpenTrail, type SignedCheckpoint, TrailFault, verifyTrail } from './index.ts'

const soon = { timeout: 20_000, interval: 10 }

function heardBy(trail: OpenTrail): RecordedEvent[] {
  const heard: RecordedEvent[] = []
  trail.listen((events) => void heard.push(...events))
  return heard
}

const names = (events: readonly { readonly event: unknown }[]) => events.map(({ event }) => event)

describe.each(engineKinds)('the audit trail on %s', { timeout: 60_000 }, (engine) => {
  let world: TrailWorld
  beforeEach(async () => {
    world = await trailWorld(engine)
  })
  afterEach(() => world.drop())

  const written = async () => (await world.rows()).map(({ event, seq }) => [event, seq])

  it('V16.2.1 writes what is emitted, with everything that is known of it, without being asked', async () => {
    const trail = world.open()
    const heard = heardBy(trail)
    trail.emit({
      event: 'authn_login_fail',
      userId: 'ann',
      actorId: 'chief',
      sessionId: 's1',
      address: '203.0.113.9',
      route: 'POST /api/auth/login',
      requestId: 'r1',
      reason: 'wrong password',
      details: { attempt: 3, known: true },
    })
    expect(await world.rows()).toEqual([])
    await expect.poll(() => world.rows(), soon).toHaveLength(1)
    expect(await world.rows()).toMatchObject([
      {
        event: 'authn_login_fail',
        level: 'warn',
        outcome: 'failure',
        userId: 'ann',
        actorId: 'chief',
        sessionId: 's1',
        address: '203.0.113.9',
        route: 'POST /api/auth/login',
        requestId: 'r1',
        reason: 'wrong password',
        details: '{"attempt":3,"known":true}',
        chain: trail.chain,
        seq: 1,
      },
    ])
    expect(heard).toMatchObject([{ event: 'authn_login_fail', details: { attempt: 3, known: true } }])
    await trail.close()
    expect(await world.findings()).toEqual([])
  })

  it('V16.2.1 says when a server starts and stops, and signs where it came to', async () => {
    const signed: SignedCheckpoint[] = []
    const trail = world.open({ kind: 'server', onCheckpoint: (checkpoint) => void signed.push(checkpoint) })
    await emitMany(trail, 2)
    await trail.close()
    await trail.close()
    expect(await written()).toEqual([
      ['sys_startup', 1],
      ['authn_login_fail', 2],
      ['authn_login_fail', 3],
      ['sys_shutdown', 4],
    ])
    expect(signed.at(-1)).toMatchObject({ kind: 'closed', chain: trail.chain, seq: 4 })
    expect((await world.checkpoints()).map(({ kind, seq }) => [kind, seq])).toEqual([
      ['closed', 4],
      ['head', 4],
      ['start', 0],
    ])
    expect(await world.chains()).toMatchObject([{ closedAt: signed.at(-1)?.at, prunedSeq: 0 }])
    expect(await world.findings()).toEqual([])
  })

  it('leaves no trace of a job that has nothing to say', async () => {
    await world.open().close()
    expect([...(await world.chains()), ...(await world.checkpoints())]).toEqual([])
  })

  it('V16.4.2 commits a row with what it tells of, and takes both back', async () => {
    const trail = world.open()
    const heard = heardBy(trail)
    const answer = await trail.transact(async (trx, note) => {
      note({ event: 'user_created', userId: 'ann' })
      note({ event: 'authz_change', userId: 'ann' })
      expect(await trx.selectFrom(eventsTable).selectAll().execute()).toEqual([])
      return 'done'
    })
    expect(answer).toBe('done')
    // In the table with the commit, before they are sealed.
    expect(names((await world.rows()) as readonly { event: unknown }[]).sort()).toEqual([
      'authz_change',
      'user_created',
    ])
    const failing = trail.transact(async (_, note) => {
      note({ event: 'user_deleted', userId: 'ann' })
      throw new TypeError('midway')
    })
    await expect(failing).rejects.toThrow('midway')
    await trail.idle()
    expect(names(heard)).toEqual(['user_created', 'authz_change'])
    expect(await written()).toEqual([
      ['user_created', 1],
      ['authz_change', 2],
    ])
    await trail.close()
    expect(await world.findings()).toEqual([])
  })

  it('V16.3.4 goes on when a listener throws, and tells the others', async () => {
    const trail = world.open()
    trail.listen(() => {
      throw new TypeError('listener')
    })
    const heard = heardBy(trail)
    const silent: RecordedEvent[] = []
    trail.listen((events) => void silent.push(...events))()
    await emitMany(trail, 1)
    expect(heard).toHaveLength(1)
    expect(silent).toEqual([])
    expect(world.failures).toEqual([new TypeError('listener')])
    await trail.close()
  })

  it('V16.2.1 drops of what anybody can cause, says how many, and tells listeners of all', async () => {
    const trail = world.open({ waitingMaxCount: 10 })
    const heard = heardBy(trail)
    for (let number = 0; number < 100; number += 1) {
      trail.emit({ event: 'input_validation_fail' })
      trail.emit({ event: 'authn_login_fail' })
      if (number < 5) trail.emit({ event: 'malicious_cors' })
    }
    await trail.idle()
    const counts = Map.groupBy(await world.rows(), ({ event }) => event)
    expect(counts.get('authn_login_fail')).toHaveLength(100)
    const kept =
      (counts.get('input_validation_fail')?.length ?? 0) + (counts.get('malicious_cors')?.length ?? 0)
    expect(kept).toBe(10)
    const dropped = (counts.get('audit_events_dropped') ?? []).map(({ details }): unknown =>
      JSON.parse(String(details)),
    )
    const sum = dropped
      .flatMap((one) => Object.values(Object(one)))
      .reduce((all: number, one) => all + Number(one), 0)
    expect(sum).toBe(95)
    expect(trail.counts()).toEqual({ waitingCount: 0, droppedCount: 95 })
    expect(heard.filter(({ event }) => event === 'input_validation_fail')).toHaveLength(100)
    // There is room again.
    trail.emit({ event: 'malicious_cors' })
    await trail.idle()
    expect(trail.counts().droppedCount).toBe(95)
    await trail.close()
    expect(await world.findings()).toEqual([])
  })

  it('V16.4.1 takes any text, and gives it back as it was hashed', async () => {
    const trail = world.open()
    const strange = 'a\0b\ud800c\u001b[31m\n"\\ 😀'
    // Nothing that an index could press together.
    const long = String.fromCharCode(
      ...Array.from({ length: 5_000 }, (_, at) => 0x4e00 + ((at * 7_919) % 20_000)),
    )
    for (const text of [strange, long])
      trail.emit({
        event: 'app_strange',
        userId: text,
        actorId: text,
        sessionId: text,
        address: text,
        route: text,
        requestId: text,
        reason: text,
        details: { text, [text]: 1 },
      })
    await trail.idle()
    await trail.transact(async (_, note) => note({ event: 'app_strange', userId: strange, reason: long }))
    await trail.close()
    expect(world.failures).toEqual([])
    expect(await world.rows()).toHaveLength(3)
    expect(await world.findings()).toEqual([])
  })

  it('V16.2.1 gives up a row that the database will never take, says so, and writes the others', async () => {
    const trail = world.open()
    await emitMany(trail, 1)
    trail.emit({ event: 'app_before' })
    const evil = { event: 'app_evil', userId: 'x' } as const
    await world.db.schema
      .createIndex('app_unique')
      .on(eventsTable)
      .column('reason')
      .unique()
      .where(sql.ref('event'), '=', 'app_twice')
      .execute()
    trail.emit({ ...evil, event: 'app_twice', reason: 'same' })
    trail.emit({ ...evil, event: 'app_twice', reason: 'same' })
    trail.emit({ event: 'app_after' })
    await trail.idle()
    expect((await written()).map(([event]) => event)).toEqual([
      'authn_login_fail',
      'app_before',
      'app_twice',
      'app_after',
    ])
    expect(world.failures.filter((error) => error instanceof TrailFault)).toMatchObject([{ lostCount: 1 }])
    await trail.close()
    expect(await world.findings()).toEqual([])
  })

  it('V16.4.2 seals what a process has left behind, and only what one of us has written', async () => {
    let nowMs = Date.now()
    const dead = world.open({ nowMs: () => nowMs })
    await emitMany(dead, 1)
    // It dies between its commit and its seal: nothing of it runs from here on.
    await dead.transact(async (_, note) => note({ event: 'user_created', userId: 'ann' }))
    await world.disarm()
    const [left] = await world.rows().then((rows) => rows.filter(({ seq }) => seq === null))
    expect(left).toMatchObject({ event: 'user_created', hash: null })
    const forged = { ...left, id: 'forged', userId: 'mallory' }
    await world.db.insertInto(eventsTable).values(forged).execute()
    nowMs += 3_600_000
    const { ChainWriter } = await import('./chain-writer.ts')
    const between = { after: '', before: new Date(nowMs).toISOString() }
    const previous: typeof world.keys = [keysOf(9)[0], world.keys[0]]
    const writers = [
      new ChainWriter(world.db, previous[0], () => nowMs),
      new ChainWriter(world.db, world.keys[0], () => nowMs),
    ]
    const taken = await Promise.all(writers.map((writer) => writer.adopt(between, previous, () => false)))
    expect(taken.toSorted()).toEqual([0, 1])
    const adopted = (await world.rows()).find(({ id }) => id === left?.['id'])
    expect(adopted).toMatchObject({ seq: 1, userId: 'ann' })
    const report = await verifyTrail(world.db, previous)
    expect(report.findings).toEqual([
      { kind: 'forged', chain: dead.chain, fromSeq: null, toSeq: null, id: 'forged' },
    ])
    // The dead one was only silent: it finds its row sealed.
    await dead.close()
    expect((await verifyTrail(world.db, previous)).findings).toHaveLength(1)
  })

  it('V16.4.2 goes on in a new chain when the end of its own is not there any more, and says so', async () => {
    const trail = world.open()
    await emitMany(trail, 4)
    const broken = trail.chain
    await world.disarm()
    await world.db.deleteFrom(eventsTable).where('seq', '>=', 3).execute()
    await emitMany(trail, 1)
    expect(trail.chain).not.toBe(broken)
    await trail.close()
    const tampering = (await world.rows()).filter(({ event }) => event === 'audit_tampering')
    expect(tampering).toHaveLength(1)
    expect(JSON.parse(String(tampering[0]?.['details']))).toMatchObject({ brokenChain: broken })
    expect(await world.findings()).toContainEqual({
      kind: 'removed',
      chain: broken,
      fromSeq: 3,
      toSeq: 4,
      id: null,
    })
  })

  it('V16.4.2 is not stopped by a row that takes its next place', async () => {
    const trail = world.open()
    await emitMany(trail, 2)
    const [, last] = await world.rows()
    await world.db
      .insertInto(eventsTable)
      .values({ ...last, id: 'forged', seq: 3 })
      .execute()
    await emitMany(trail, 2)
    await trail.close()
    expect(await world.rows()).toHaveLength(6)
    expect(await world.findings()).toEqual(
      [{ kind: 'forged', chain: last?.['chain'], fromSeq: 3, toSeq: 3, id: 'forged' }].map((finding) =>
        expect.objectContaining(finding),
      ),
    )
  })

  it('V16.4.2 writes a row again that was removed before it was sealed, and finds one that was changed', async () => {
    const trail = world.open()
    await world.disarm()
    await trail.transact(async (_, note) => {
      note({ event: 'user_created', userId: 'ann' })
      note({ event: 'user_updated', userId: 'ann' })
    })
    await world.db.deleteFrom(eventsTable).where('event', '=', 'user_created').execute()
    await world.db.updateTable(eventsTable).set({ userId: 'bob' }).execute()
    await trail.idle()
    await trail.close()
    const rows = await world.rows()
    expect(names(rows as readonly { event: unknown }[]).sort()).toEqual([
      'audit_tampering',
      'user_created',
      'user_updated',
    ])
    const changed = rows.find(({ event }) => event === 'user_updated')
    expect(await world.findings()).toMatchObject([{ kind: 'changed', id: changed?.['id'] }])
  })

  it('V16.4.2 keeps processes apart that write at the same time', async () => {
    const trails = [1, 2, 3].map(() => world.open({ kind: 'server' }))
    await Promise.all(
      trails.flatMap((trail, index) => [
        emitMany(trail, 50, `user${index}`),
        ...Array.from({ length: 10 }, () =>
          trail.transact(async (_, note) => note({ event: 'user_updated', userId: `user${index}` })),
        ),
      ]),
    )
    await Promise.all(trails.map((trail) => trail.close()))
    const report = await verifyTrail(world.db, world.keys)
    expect(report).toMatchObject({ rowCount: 3 * 62, chainCount: 3, unsealedCount: 0, findings: [] })
    expect(world.failures).toEqual([])
  })

  it('V16.4.2 signs a block for each thousand rows', async () => {
    const trail = world.open()
    await emitMany(trail, 2_100)
    await trail.close()
    const kinds = (await world.checkpoints()).map(({ kind, seq }) => [kind, seq])
    expect(kinds).toEqual([
      ['block', 1_000],
      ['block', 2_000],
      ['closed', 2_100],
      ['head', 2_100],
      ['start', 0],
    ])
    expect(await verifyTrail(world.db, world.keys)).toMatchObject({ rowCount: 2_100, findings: [] })
  })
})

describe('the audit trail without its database', { timeout: 60_000 }, () => {
  it('V16.5.2 keeps what matters until the database answers again, and says once that it does not', async () => {
    const postgres = await freshPostgres()
    const proxy = await tcpProxy(Number(new URL(postgres.url).port || 5432))
    const url = new URL(postgres.url)
    url.port = String(proxy.port)
    url.hostname = '127.0.0.1'
    const database = await openPostgres(new Secret(url.href), { connectionCount: 2, connectMs: 500 })
    const world = await worldOn({ database, drop: () => database.close() })
    const trail = world.open({ waitingMaxCount: 5 })
    const heard = heardBy(trail)
    await emitMany(trail, 1)
    await proxy.cut()
    for (let number = 0; number < 40; number += 1) {
      trail.emit({ event: 'authn_login_fail' })
      trail.emit({ event: 'input_validation_fail' })
    }
    await expect.poll(() => world.failures.length, soon).toBe(1)
    await expect(trail.transact(async () => 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(heard.filter(({ event }) => event !== 'audit_events_dropped')).toHaveLength(81)
    await proxy.restore()
    await trail.idle()
    const counts = Map.groupBy(await world.rows(), ({ event }) => event)
    expect(counts.get('authn_login_fail')).toHaveLength(41)
    expect(counts.get('input_validation_fail')).toHaveLength(5)
    expect(counts.get('audit_events_dropped')).not.toHaveLength(0)
    expect(world.failures).toHaveLength(1)
    await trail.close()
    expect(await world.findings()).toEqual([])
    await world.drop()
    await proxy.close()
    await postgres.drop()
  })

  it('V16.5.2 says at the end how many are lost', async () => {
    const postgres = await freshPostgres()
    const proxy = await tcpProxy(Number(new URL(postgres.url).port || 5432))
    const url = new URL(postgres.url)
    url.port = String(proxy.port)
    url.hostname = '127.0.0.1'
    const database = await openPostgres(new Secret(url.href), { connectionCount: 2, connectMs: 500 })
    const world = await worldOn({ database, drop: () => database.close() })
    const trail = world.open({ closeMs: 200 })
    await emitMany(trail, 1)
    await proxy.cut()
    for (let number = 0; number < 3; number += 1) trail.emit({ event: 'authn_login_fail' })
    await trail.close()
    expect(world.failures.at(-1)).toMatchObject({ name: 'TrailFault', lostCount: 3 })
    await world.drop()
    await proxy.close()
    await postgres.drop()
  })
})
