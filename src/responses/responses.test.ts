import { afterEach, describe, expect, it } from 'vitest'
import { type EngineKind, engineKinds, freshDatabase } from '../../test/kit/databases.ts'
import { notedTrail } from '../../test/kit/trail.ts'
import type { AuditTrail } from '../audit/index.ts'
import { BanIndex, bansMigration, followBans, neverBanned, TableBans } from '../bans/index.ts'
import { migrateUp } from '../data/index.ts'
import type { Finding } from '../detection/index.ts'
import type { SecurityEvent } from '../events/index.ts'
import { type AccountActions, banActions } from './actions.ts'
import { responsesMigration } from './migration.ts'
import type { ResponseOptions } from './options.ts'
import { ResponseRefusal } from './response.ts'
import { openResponses, type Responses } from './responses.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const waiting = { interval: 5, timeout: 20_000 }

function found(given: Partial<Finding>): Finding {
  return {
    ...{ detector: 'scanner', points: ['RE1'], event: 'attack_detected', level: 'critical' },
    subject: { by: 'address', value: '203.0.113.9' },
    ...{
      summary: '20 paths that only scanners ask for',
      count: 20,
      windowMs: minuteMs,
      firstMs: 0,
      lastMs: 1,
    },
    ...{ addresses: [], accounts: [], sessions: [], routes: [], responses: ['ban-address'] },
    ...given,
  }
}

interface NodeOptions {
  readonly options?: ResponseOptions
  readonly wrap?: (trail: AuditTrail) => Pick<AuditTrail, 'transact'>
  readonly failsToRevoke?: () => boolean
}

const opened: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Accounts stand above this folder: as much of them as responses touch. */
function accounts(fails: () => boolean): AccountActions {
  return {
    async requireLockable({ db }, userId, locked) {
      await db
        .updateTable('people')
        .set((eb) => ({ isAdmin: eb.ref('isAdmin') }))
        .where('isAdmin', '=', 1)
        .execute()
      const all = await db.selectFrom('people').selectAll().execute()
      const account = all.find(({ id }) => id === userId)
      if (account === undefined) throw new ResponseRefusal('unknown-target')
      if (account['isAdmin'] !== 1) return
      const out = await locked()
      if (!all.some(({ id, isAdmin }) => isAdmin === 1 && id !== userId && !out.has(String(id))))
        throw new ResponseRefusal('last-administrator')
    },
    async revokeSessions({ db }, target) {
      const who = 'account' in target ? `account ${target.account}` : `session ${target.session}`
      await db.insertInto('ended').values({ who }).execute()
      if (fails()) throw new TypeError('the sessions cannot be ended')
    },
  }
}

async function world(engine: EngineKind) {
  const { database, drop } = await freshDatabase(engine)
  opened.push(drop)
  const migrations = [bansMigration, responsesMigration]
  await migrateUp(database, { migrations, table: 'holdfast_own_migrations' })
  const { db } = database
  await db.schema.createTable('people').addColumn('id', 'text').addColumn('isAdmin', 'integer').execute()
  await db.schema.createTable('ended').addColumn('who', 'text').execute()
  const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z') }
  const nowMs = (): number => clock.nowMs
  const never = neverBanned(['10.0.0.0/8'], ['198.51.100.7', '2001:db8:5::7'])
  const events: SecurityEvent[] = []
  const failures: unknown[] = []

  async function node({ options, wrap, failsToRevoke = () => false }: NodeOptions = {}) {
    const banIndex = new BanIndex({ never, nowMs })
    const follower = await followBans({ db, index: banIndex, nowMs, everyMs: 20 })
    const trail = notedTrail(db, events)
    const responses = await openResponses({
      ...{ db, trail: wrap?.(trail) ?? trail, options, nowMs },
      actions: {
        ...banActions({ never, onChange: (record) => follower.note(record) }),
        ...accounts(failsToRevoke),
      },
      onFailure: (error) => void failures.push(error),
      bounds: { everyMs: 20, perSecondCount: 10_000 },
    })
    const close = async (): Promise<void> => {
      await responses.close()
      await follower.close()
    }
    opened.push(close)
    const bans = new TableBans({ db, never, trail, nowMs, onChange: (record) => follower.note(record) })
    const answer = async (given: Partial<Finding>): Promise<void> => {
      responses.respond(found(given))
      await responses.idle()
    }
    return { responses, bans, banIndex, follower, answer, close }
  }

  const people = (...rows: { id: string; isAdmin: number }[]) =>
    db.insertInto('people').values(rows).execute()
  const endings = async (): Promise<unknown[]> =>
    (await db.selectFrom('ended').select('who').execute()).map(({ who }) => who)
  const all = async (responses: Responses) => (await responses.list({ state: 'all' })).items
  const told = (name: string) => events.filter(({ event }) => event === name)
  return { db, clock, node, events, failures, people, endings, all, told }
}

describe.each(engineKinds)('responses on %s', (engine) => {
  it('V16.3.3 ban an address: row, ban and event say the same', async () => {
    const { node, all, told, failures } = await world(engine)
    const { responses, bans, banIndex, answer } = await node()
    await answer({})
    const [row] = await all(responses)
    const [ban] = (await bans.list()).items
    expect(row).toEqual({
      ...{
        id: row?.id,
        response: 'ban-address',
        detector: 'scanner',
        mode: 'applied',
        outcome: 'done',
        why: null,
      },
      ...{ targetKind: 'address', target: '203.0.113.9', reason: '20 paths that only scanners ask for' },
      ...{ alertId: null, findingKey: 'scanner address 203.0.113.9', effectId: ban?.id, levelCount: 1 },
      ...{ madeAt: '2026-01-01T00:00:00.000Z', lastAt: '2026-01-01T00:00:00.000Z', findingCount: 1 },
      ...{ expiresAt: '2026-01-01T00:15:00.000Z', undoneAt: null, undoneBy: null, undoneReason: null },
    })
    expect(ban).toMatchObject({ origin: 'scanner', expiresAt: row?.expiresAt, reason: row?.reason })
    expect(banIndex.addressBannedForMs('203.0.113.9')).toBe(15 * minuteMs)
    expect(told('authz_change').map(({ details }) => details?.['banId'])).toEqual([ban?.id])
    expect(told('response_applied')).toEqual([
      {
        ...{ event: 'response_applied', outcome: 'success', address: '203.0.113.9', reason: row?.reason },
        details: {
          ...{ responseId: row?.id, response: 'ban-address', detector: 'scanner', mode: 'applied' },
          ...{ targetKind: 'address', target: '203.0.113.9', banId: ban?.id, until: row?.expiresAt },
          ...{ outcome: 'done', why: null, isRepeat: false, levelCount: 1, findingCount: 1 },
        },
      },
    ])
    expect(await responses.byId(row?.id ?? '')).toEqual(row)
    expect([await responses.byId('nobody'), failures]).toEqual([null, []])
  })

  it('V16.3.3 last longer each time within a week, and a repeat extends without a second row', async () => {
    const { node, clock, all } = await world(engine)
    const { responses, answer } = await node()
    const ends = async () =>
      (await all(responses)).map(({ expiresAt }) => (Date.parse(expiresAt) - clock.nowMs) / minuteMs)
    await answer({})
    await answer({})
    clock.nowMs += 5 * minuteMs
    await answer({})
    expect(await ends()).toEqual([15])
    expect((await all(responses))[0]?.findingCount).toBe(2)
    clock.nowMs += 15 * minuteMs
    await answer({})
    expect((await ends())[0]).toBe(60)
    clock.nowMs += hourMs
    await answer({})
    expect((await ends())[0]).toBe(24 * 60)
    clock.nowMs += dayMs
    await answer({})
    expect((await ends())[0]).toBe(24 * 60)
    expect((await responses.list()).items).toHaveLength(1)
    clock.nowMs += 9 * dayMs
    await answer({})
    expect((await ends())[0]).toBe(15)
    expect(await all(responses)).toHaveLength(5)
  })

  it('V15.4.2 of two nodes to one finding at once are one row, one ban and one event', async () => {
    const { node, all, told, failures } = await world(engine)
    const nodes = [await node(), await node()]
    const targets = Array.from({ length: 10 }, (_, host) => `203.0.113.${host}`)
    const finding = { subject: { by: 'everybody', value: '' }, addresses: targets } as const
    for (let round = 0; round < 3; round += 1)
      await Promise.all(
        nodes.map(({ answer }) => answer({ ...finding, responses: ['ban-address', 'slow-down'] })),
      )
    const [first] = nodes
    expect(first).toBeDefined()
    if (first === undefined) return
    const rows = await all(first.responses)
    expect(rows.map(({ response, target }) => `${response} ${target}`).sort()).toEqual(
      ['ban-address', 'slow-down'].flatMap((name) => targets.map((target) => `${name} ${target}`)).sort(),
    )
    expect((await first.bans.list()).items).toHaveLength(10)
    expect(rows.every(({ findingCount }) => findingCount === 1)).toBe(true)
    expect([told('response_applied').length, failures]).toEqual([20, []])
  })

  it('V2.4.1 slow down on every node, more each time, until undone on another node', async () => {
    const { node, clock, all } = await world(engine)
    const [here, there] = [await node(), await node()]
    const given = { responses: ['slow-down'], subject: { by: 'address', value: '2001:db8::7' } } as const
    const delays = () =>
      [here, there].map(({ responses }) => responses.index.delayMsFor('2001:db8::ffff', null))
    expect(delays()).toEqual([0, 0])
    for (const delayMs of [500, 1_000, 2_000, 4_000, 5_000]) {
      await here.answer(given)
      await expect.poll(delays, waiting).toEqual([delayMs, delayMs])
      clock.nowMs += minuteMs
    }
    expect(there.responses.index.delayMsFor('2001:db8:0:1::7', null)).toBe(0)
    const [row] = await all(here.responses)
    expect(row?.target).toBe('2001:db8::/64')
    expect(
      await there.responses.undo(row?.id ?? '', { actorId: 'eve', reason: 'our own test' }),
    ).toMatchObject({
      ...{ undoneBy: 'eve', undoneReason: 'our own test' },
    })
    await expect.poll(delays, waiting).toEqual([0, 0])
  })

  it('V2.4.1 slow down a whole account, and end by themselves', async () => {
    const { node, clock } = await world(engine)
    const { responses, answer } = await node()
    await answer({ responses: ['slow-down'], subject: { by: 'account', value: 'ann' } })
    expect(responses.index.delayMsFor('192.0.2.1', 'ann')).toBe(500)
    expect([
      responses.index.delayMsFor('192.0.2.1', 'bob'),
      responses.index.delayMsFor('192.0.2.1', null),
    ]).toEqual([0, 0])
    clock.nowMs += 15 * minuteMs
    expect(responses.index.delayMsFor('192.0.2.1', 'ann')).toBe(0)
  })

  it('V7.5.3 ask for authentication again, on every node, also one that starts later', async () => {
    const { node, clock } = await world(engine)
    const [here, there] = [await node(), await node()]
    const sinceMs = clock.nowMs
    await here.answer({ responses: ['step-up'], subject: { by: 'account', value: 'ann' } })
    await here.answer({ responses: ['step-up'], subject: { by: 'session', value: 's-9' } })
    const known = (responses: Responses) => [
      responses.index.stepUpSinceMs('ann', 's-1'),
      responses.index.stepUpSinceMs('bob', 's-9'),
      responses.index.stepUpSinceMs('bob', 's-1'),
    ]
    await expect.poll(() => known(there.responses), waiting).toEqual([sinceMs, sinceMs, undefined])
    expect(known((await node()).responses)).toEqual([sinceMs, sinceMs, undefined])
    clock.nowMs += hourMs
    await here.answer({ responses: ['step-up'], subject: { by: 'account', value: 'ann' } })
    expect(here.responses.index.stepUpSinceMs('ann', 's-1')).toBe(sinceMs + hourMs)
  })

  it('V7.4.1 lock an account: its requests are refused, its sessions end, and the lock can be undone', async () => {
    const { node, people, endings, all, told } = await world(engine)
    await people({ id: 'ann', isAdmin: 0 })
    const { responses, banIndex, answer } = await node()
    await answer({ responses: ['lock-account'], subject: { by: 'account', value: 'ann' } })
    expect(banIndex.accountBannedForMs('ann')).toBe(15 * minuteMs)
    expect(await endings()).toEqual(['account ann'])
    const [row] = await all(responses)
    await responses.undo(row?.id ?? '', { actorId: 'eve', reason: 'she called us' })
    expect(banIndex.accountBannedForMs('ann')).toBeUndefined()
    expect(told('response_undone')).toEqual([
      {
        ...{
          event: 'response_undone',
          outcome: 'success',
          actorId: 'eve',
          userId: 'ann',
          reason: 'she called us',
        },
        details: {
          ...{ responseId: row?.id, response: 'lock-account', detector: 'scanner', mode: 'applied' },
          ...{ targetKind: 'account', target: 'ann', banId: row?.effectId, ban: 'lifted' },
        },
      },
    ])
  })

  it('V8.1.3 never lock the last administrator that can act, nor somebody who is not there', async () => {
    const { node, clock, people, endings, all, failures, told } = await world(engine)
    await people({ id: 'ann', isAdmin: 1 }, { id: 'bob', isAdmin: 1 })
    const { responses, bans, answer } = await node()
    for (const value of ['ann', 'bob', 'nobody', 'bob'])
      await answer({ responses: ['lock-account'], subject: { by: 'account', value } })
    const rows = await all(responses)
    expect(rows.map(({ target, outcome, why }) => [target, outcome, why]).reverse()).toEqual([
      ['ann', 'done', null],
      ['bob', 'refused', 'last-administrator'],
      ['nobody', 'refused', 'unknown-target'],
    ])
    expect((await bans.list()).items.map(({ target }) => target)).toEqual(['ann'])
    expect(await endings()).toEqual(['account ann'])
    expect(told('response_applied').map(({ outcome }) => outcome)).toEqual(['success', 'failure', 'failure'])
    expect(failures).toEqual([])
    expect((await responses.list()).items.map(({ target }) => target)).toEqual(['ann'])
    // A refusal stands for its time: nothing is done behind a row that says otherwise.
    await people({ id: 'eve', isAdmin: 1 })
    clock.nowMs += 2 * minuteMs
    await answer({ responses: ['lock-account'], subject: { by: 'account', value: 'bob' } })
    expect((await bans.list()).items.map(({ target }) => target)).toEqual(['ann'])
    expect(await all(responses)).toEqual(rows)
  })

  it('V15.3.4 never touch a proxy or the allow list: refused, written down once, and no error', async () => {
    const { node, clock, all, failures } = await world(engine)
    const { responses, bans, answer } = await node()
    const subjects = ['10.1.2.3', '198.51.100.7', '2001:db8:5::7']
    for (const value of [...subjects, ...subjects])
      await answer({ subject: { by: 'address', value }, responses: ['ban-address', 'slow-down'] })
    clock.nowMs += 2 * minuteMs
    for (const value of subjects) await answer({ subject: { by: 'address', value } })
    const rows = await all(responses)
    expect(rows.map(({ response, outcome, why }) => `${response} ${outcome} ${why}`).sort()).toEqual([
      ...['ban-address refused never-banned', 'ban-address refused never-banned'],
      'ban-address refused trusted-proxy',
      ...Array.from({ length: 3 }, () => 'slow-down refused never-banned'),
    ])
    expect([(await bans.list()).items, responses.index.count, failures]).toEqual([[], 0, []])
  })

  it('V7.4.1 end sessions, not more than once a minute, and cannot give them back', async () => {
    const { node, clock, endings, all } = await world(engine)
    const { responses, answer } = await node()
    const given = { responses: ['revoke-sessions'], subject: { by: 'session', value: 's-1' } } as const
    await answer(given)
    await answer(given)
    expect(await endings()).toEqual(['session s-1'])
    const [row] = await all(responses)
    const undone = responses.undo(row?.id ?? '', { actorId: 'eve', reason: 'a mistake' })
    await expect(undone).rejects.toMatchObject({
      code: 'CONFLICT',
      reason: 'sessions that were ended cannot be given back',
    })
    expect((await responses.byId(row?.id ?? ''))?.undoneAt).toBeNull()
    clock.nowMs += minuteMs
    await answer({ ...given, subject: { by: 'account', value: 'ann' } })
    expect(await endings()).toEqual(['session s-1', 'account ann'])
  })

  it('V16.3.3 in a dry run are written down and told, and nothing is done', async () => {
    const { node, people, endings, all, told } = await world(engine)
    await people({ id: 'ann', isAdmin: 0 })
    const options = { mode: 'dry-run', perDetector: { loud: { mode: 'off' }, sure: { mode: 'on' } } } as const
    const { responses, bans, banIndex, answer } = await node({ options })
    const responsesOf = ['slow-down', 'step-up', 'ban-address', 'lock-account', 'revoke-sessions'] as const
    await answer({
      subject: { by: 'account', value: 'ann' },
      addresses: ['203.0.113.9'],
      responses: responsesOf,
    })
    await answer({ detector: 'loud' })
    const rows = await all(responses)
    expect(rows.map(({ mode, outcome, effectId }) => [mode, outcome, effectId])).toEqual(
      Array.from({ length: 5 }, () => ['dry-run', 'done', null]),
    )
    expect(told('response_applied').map(({ outcome, details }) => [outcome, details?.['mode']])).toEqual(
      Array.from({ length: 5 }, () => ['unknown', 'dry-run']),
    )
    expect([(await bans.list({ state: 'all' })).items, await endings(), responses.index.count]).toEqual([
      [],
      [],
      0,
    ])
    await answer({ detector: 'sure' })
    expect(banIndex.addressBannedForMs('203.0.113.9')).toBe(15 * minuteMs)
    const dry = rows.find(({ response }) => response === 'ban-address')
    expect(await responses.undo(dry?.id ?? '', { actorId: 'eve', reason: 'seen' })).not.toBeNull()
    expect(banIndex.addressBannedForMs('203.0.113.9')).toBe(15 * minuteMs)
  })

  it('V16.3.3 that were undone are not done again by that detector for a while', async () => {
    const { node, clock, all } = await world(engine)
    const [here, there] = [await node(), await node()]
    await here.answer({})
    const [row] = await all(here.responses)
    const by = { actorId: 'eve', reason: 'the office' }
    expect(await there.responses.undo(row?.id ?? '', by)).toMatchObject({ undoneBy: 'eve' })
    await expect.poll(() => here.banIndex.addressBannedForMs('203.0.113.9'), waiting).toBeUndefined()
    expect(await here.responses.undo(row?.id ?? '', by)).toBeNull()
    expect(await here.responses.undo('nobody', by)).toBeNull()
    clock.nowMs += 30 * minuteMs
    for (const one of [here, there]) await one.answer({})
    expect(await all(here.responses)).toHaveLength(1)
    await here.answer({ detector: 'another' })
    expect(await all(here.responses)).toHaveLength(2)
    clock.nowMs += hourMs
    await there.answer({})
    const [again] = await all(here.responses)
    // What was undone was a mistake, so this is the second time and not the third.
    expect([again?.detector, again?.levelCount]).toEqual(['scanner', 2])
  })

  it('V16.3.3 that were undone make room at once, where no grace is wanted', async () => {
    const { node, clock, all } = await world(engine)
    const { responses, bans, banIndex, answer } = await node({ options: { graceMs: 0 } })
    // By the name of what persons do, a detector's ban would outlast it.
    await answer({ detector: 'manual' })
    expect((await bans.list()).items.map(({ origin }) => origin)).toEqual(['detector-manual'])
    const [row] = await all(responses)
    await responses.undo(row?.id ?? '', { actorId: 'eve', reason: 'a mistake' })
    expect(banIndex.addressBannedForMs('203.0.113.9')).toBeUndefined()
    clock.nowMs += minuteMs
    await answer({ detector: 'manual' })
    expect((await all(responses)).map(({ undoneBy }) => undoneBy)).toEqual([null, 'eve'])
    expect(banIndex.addressBannedForMs('203.0.113.9')).toBe(15 * minuteMs)
  })

  it('V16.3.3 leave the ban of a person alone, and give way to one who lifts the ban by hand', async () => {
    const { node, clock, all, told } = await world(engine)
    const { responses, bans, banIndex, answer } = await node()
    await answer({})
    const [row] = await all(responses)
    await bans.ban({ address: '203.0.113.9', reason: 'seen it too', forMs: dayMs, actorId: 'eve' })
    await responses.undo(row?.id ?? '', { actorId: 'ann', reason: 'a mistake' })
    expect(banIndex.addressBannedForMs('203.0.113.9')).toBe(dayMs)
    expect(told('response_undone').map(({ details }) => details?.['ban'])).toEqual(['kept'])
    const other = { subject: { by: 'address', value: '203.0.113.10' } } as const
    await answer(other)
    await bans.lift({ address: '203.0.113.10' }, { actorId: 'ann' })
    clock.nowMs += 2 * minuteMs
    await answer(other)
    expect(banIndex.addressBannedForMs('203.0.113.10')).toBeUndefined()
    expect((await all(responses))[0]).toMatchObject({
      undoneReason: 'its ban was lifted by hand',
      undoneBy: null,
    })
    clock.nowMs += 2 * minuteMs
    await answer(other)
    expect(banIndex.addressBannedForMs('203.0.113.10')).toBeUndefined()
  })

  it('V16.5.2 that fail half-way leave nothing half-done: the row says so, and the next finding tries again', async () => {
    const { node, people, clock, all, endings, failures } = await world(engine)
    await people({ id: 'ann', isAdmin: 0 })
    let fails = true
    const { responses, bans, answer } = await node({ failsToRevoke: () => fails })
    const given = { responses: ['lock-account'], subject: { by: 'account', value: 'ann' } } as const
    await answer(given)
    expect((await all(responses)).map(({ outcome, why, effectId }) => [outcome, why, effectId])).toEqual([
      ['failed', 'error', null],
    ])
    expect([(await bans.list({ state: 'all' })).items, await endings(), failures.length]).toEqual([[], [], 1])
    fails = false
    clock.nowMs += 1_000
    await answer(given)
    expect((await all(responses)).map(({ outcome, levelCount }) => [outcome, levelCount])).toEqual([
      ['done', 1],
      ['failed', 1],
    ])
    expect((await responses.list()).items).toHaveLength(1)
  })

  it('V16.5.2 of a node that dies right before or right after the commit are all there, or not at all', async () => {
    const { node, all, told } = await world(engine)
    let diesAt: 'before' | 'after' = 'before'
    const wrap = (trail: AuditTrail): Pick<AuditTrail, 'transact'> => ({
      async transact(work) {
        const done = await trail.transact(async (db, note) => {
          const done = await work(db, note)
          if (diesAt === 'before') throw new TypeError('the node has died')
          return done
        })
        if (diesAt === 'after') throw new TypeError('the node has died')
        return done
      },
    })
    const dying = await node({ wrap })
    const other = await node()
    await dying.answer({})
    expect([await all(other.responses), (await other.bans.list()).items, told('response_applied')]).toEqual([
      [],
      [],
      [],
    ])
    diesAt = 'after'
    await dying.answer({ responses: ['ban-address', 'slow-down'] })
    await expect.poll(() => other.banIndex.addressBannedForMs('203.0.113.9'), waiting).toBe(15 * minuteMs)
    await expect.poll(() => other.responses.index.delayMsFor('203.0.113.9', null), waiting).toBe(500)
    const done = (await all(other.responses)).filter(({ outcome }) => outcome === 'done')
    expect(done.map(({ effectId }) => effectId === null).sort()).toEqual([false, true])
  })
})
