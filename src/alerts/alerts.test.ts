import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { foundBy } from '../../test/kit/alert-receivers.ts'
import { engineKinds, freshDatabase } from '../../test/kit/databases.ts'
import { notedTrail } from '../../test/kit/trail.ts'
import { migrateDown, migrateUp, openDatabase } from '../data/index.ts'
import type { SecurityEvent } from '../events/index.ts'
import { AlertFault } from './alert.ts'
import { type AlertsParts, type OpenAlerts, openAlerts } from './alerts.ts'
import { closeIfQuiet } from './change.ts'
import type { AlertChannel } from './channels/channel.ts'
import { allNews } from './channels/channel.ts'
import { alertsMigration, alertsTable, keysTable } from './migration.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const history = { migrations: [alertsMigration], table: 'holdfast_own_migrations' }
const act = { actorId: 'eve', reason: 'looking into it' }
const toDo: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const undo of toDo.splice(0).reverse()) await undo()
})

describe.each(engineKinds)('alerts on %s', (engine) => {
  async function fresh(about: Partial<AlertsParts> = {}) {
    const { database, drop } = await freshDatabase(engine)
    toDo.push(drop)
    await migrateUp(database, history)
    const { db } = database
    const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z') }
    const events: SecurityEvent[] = []
    const failures: unknown[] = []
    const told: string[] = []
    const channel: AlertChannel = {
      name: 'told',
      news: allNews,
      send: async ({ news, alert }) => void told.push(`${news} ${alert.title} ${alert.count}`),
    }
    const node = (more: Partial<AlertsParts> = {}): OpenAlerts => {
      const alerts = openAlerts({
        db,
        trail: notedTrail(db, events),
        channels: [channel],
        onFailure: (error) => void failures.push(error),
        nowMs: () => clock.nowMs,
        ...about,
        ...more,
      })
      toDo.push(() => alerts.end())
      return alerts
    }
    const raised = async (alerts: OpenAlerts, ...findings: readonly ReturnType<typeof foundBy>[]) => {
      for (const finding of findings) {
        alerts.raise(finding)
        await alerts.idle()
        clock.nowMs += 1_000
      }
      return (await alerts.list()).items
    }
    const names = () => events.map(({ event, details }) => `${event} ${details?.['what'] ?? ''}`.trim())
    return { database, db, clock, events, failures, told, node, raised, names }
  }

  it('V16.3.3 are opened with what is known', async () => {
    const { node, clock, events, told } = await fresh()
    const alerts = node()
    const firstMs = clock.nowMs - 5_000
    alerts.raise(
      foundBy('password-spraying', {
        ...{ level: 'critical', summary: '53 accounts were tried from 203.0.113.9.', firstMs },
        ...{ addresses: ['203.0.113.9'], accounts: ['ann', 'bob'], routes: ['POST /auth/login'] },
      }),
    )
    await alerts.idle()
    const [alert] = (await alerts.list()).items
    const at = '2026-01-01T00:00:00.000Z'
    expect(alert).toEqual({
      ...{ id: alert?.id, state: 'open', severity: 'critical', title: 'Password spraying', count: 1 },
      ...{ summary: '53 accounts were tried from 203.0.113.9.', detectors: ['password-spraying'] },
      ...{ openedAt: at, firstAt: '2025-12-31T23:59:55.000Z', lastAt: at, changedAt: at },
      samples: {
        ...{ addresses: ['203.0.113.9'], accounts: ['ann', 'bob'] },
        ...{ sessions: [], routes: ['POST /auth/login'] },
      },
      ...{ acknowledgedAt: null, acknowledgedBy: null, closedAt: null, closedBy: null },
      ...{ reason: null, mergedInto: null },
    })
    expect(await alerts.byId(alert?.id ?? '')).toEqual(alert)
    expect(events).toEqual([
      {
        event: 'alert_opened',
        reason: '53 accounts were tried from 203.0.113.9.',
        details: {
          ...{ alertId: alert?.id, title: 'Password spraying', severity: 'critical' },
          ...{ detectors: 'password-spraying', count: 1 },
        },
      },
    ])
    expect(told).toEqual(['opened Password spraying 1'])
  })

  it('V16.3.3 gather an attack: spraying from many addresses, enumeration, replay and probes are one', async () => {
    const { node, raised, told } = await fresh()
    const bots = ['203.0.113.9', '203.0.113.10', '2001:db8:7:7::1']
    const many = ['a', 'b', 'c', 'd', 'e']
    const items = await raised(
      node(),
      foundBy('password-spraying', {
        ...{ subject: { by: 'everybody', value: '' }, level: 'warn' },
        ...{ addresses: bots, accounts: many },
      }),
      foundBy('id-enumeration', { subject: { by: 'address', value: '203.0.113.10' } }),
      foundBy('refresh-replay', {
        subject: { by: 'session', value: 's1' },
        ...{ level: 'critical', accounts: ['ann'], addresses: ['2001:db8:7:7::99'] },
      }),
      foundBy('injection-probes', { subject: { by: 'account', value: 'ann' } }),
    )
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({
      title: 'Password spraying, id enumeration, refresh replay and 1 more',
      ...{ severity: 'critical', count: 4 },
      detectors: ['password-spraying', 'id-enumeration', 'refresh-replay', 'injection-probes'],
    })
    expect(told.map((line) => line.split(' ')[0])).toEqual(['opened', 'grown', 'grown', 'grown'])
  })

  it('V16.3.3 are apart where nothing links them: other addresses, the same victims, a proxy', async () => {
    const { node, raised } = await fresh()
    const isShared = (address: string): boolean => address === '10.0.0.1'
    const victims = ['admin', 'root', 'ann', 'bob']
    const items = await raised(
      node({ isShared }),
      foundBy('password-spraying', { addresses: ['10.0.0.1'], accounts: victims }),
      foundBy('credential-stuffing', {
        subject: { by: 'address', value: '198.51.100.7' },
        ...{ addresses: ['10.0.0.1'], accounts: victims },
      }),
      foundBy('forced-browsing', { subject: { by: 'address', value: '10.0.0.1' } }),
      foundBy('id-enumeration', { subject: { by: 'address', value: '10.0.0.1' } }),
    )
    expect(items).toHaveLength(4)
  })

  it('V16.3.3 gather what comes from a network that was found as such', async () => {
    const { node, raised } = await fresh()
    const items = await raised(
      node(),
      foundBy('credential-stuffing', { subject: { by: 'network', value: '2001:db8:1::/48' } }),
      foundBy('id-enumeration', {
        subject: { by: 'address', value: '2001:db8:1:99::1' },
        addresses: ['2001:db8:1:99::1'],
      }),
      foundBy('id-enumeration', {
        subject: { by: 'address', value: '2001:db8:2::1' },
        addresses: ['2001:db8:2::1'],
      }),
    )
    expect(items.map(({ count }) => count)).toEqual([1, 2])
  })

  it('V16.3.3 become one when a finding connects them; the younger is closed as a part of the older', async () => {
    const { node, raised, names, told, db } = await fresh()
    const alerts = node()
    const from = (value: string) => ({ subject: { by: 'address', value } as const })
    await raised(alerts, foundBy('a', from('203.0.113.1')), foundBy('b', from('203.0.113.2')))
    const connecting = { ...from('203.0.113.3'), addresses: ['203.0.113.1', '203.0.113.2'] }
    const items = await raised(alerts, foundBy('c', connecting))
    expect(items.map(({ detectors, count }) => [detectors, count])).toEqual([[['a', 'b', 'c'], 3]])
    const { items: all } = await alerts.list({ state: 'all' })
    expect(all[0]).toMatchObject({ state: 'closed', closedBy: null, mergedInto: items[0]?.id })
    expect(names()).toEqual([
      ...['alert_opened', 'alert_opened', 'alert_changed merged', 'alert_changed grown'],
    ])
    expect(told.at(-1)).toBe('grown A, b, c 3')
    expect(told).toContain('closed B 1')
    expect(await raised(alerts, foundBy('b', from('203.0.113.2')))).toHaveLength(1)
    const keys = await db.selectFrom(keysTable).select('alertId').distinct().execute()
    expect(keys).toHaveLength(1)
  })

  it('V16.3.3 end after the window, after a day, and by being closed: what comes then is another', async () => {
    const { node, raised, clock } = await fresh()
    const alerts = node()
    expect(await raised(alerts, foundBy('a'))).toHaveLength(1)
    clock.nowMs += hourMs - minuteMs
    expect(await raised(alerts, foundBy('a'))).toHaveLength(1)
    clock.nowMs += hourMs + minuteMs
    expect(await raised(alerts, foundBy('a'))).toHaveLength(2)
    for (let hour = 0; hour < 25; hour += 1) {
      clock.nowMs += hourMs - minuteMs
      await raised(alerts, foundBy('a'))
    }
    const items = (await alerts.list()).items
    expect(items).toHaveLength(3)
    await alerts.close(items[0]?.id ?? '', act)
    expect(await raised(alerts, foundBy('a'))).toHaveLength(3)
  })

  it('V16.3.3 tell of ten times as much, not of each', async () => {
    const { node, told, clock } = await fresh()
    const alerts = node()
    for (let count = 0; count < 120; count += 1) {
      alerts.raise(foundBy('a'))
      await alerts.idle()
      clock.nowMs += 100
    }
    expect(told).toEqual(['opened A 1', 'grown A 10', 'grown A 100'])
  })

  it('V15.2.2 make one alert and few writes of ten thousand findings', async () => {
    const writes = { count: 0 }
    const { node, told, db, events, clock } = await fresh()
    const trail = notedTrail(db, events)
    const alerts = node({
      trail: {
        transact(work) {
          writes.count += 1
          return trail.transact(work)
        },
      },
    })
    const batchCount = 10
    for (let batch = 0; batch < batchCount; batch += 1) {
      for (let index = 0; index < 1_000; index += 1)
        alerts.raise(
          foundBy(index % 2 === 0 ? 'password-spraying' : 'brute-force', {
            ...{ addresses: [`203.0.113.${index % 200}`, '198.51.100.1'], accounts: [`u${index}`] },
          }),
        )
      await alerts.idle()
      clock.nowMs += 1_000
    }
    const { items } = await alerts.list({ state: 'all' })
    expect(items.map(({ count }) => count)).toEqual([10_000])
    expect(items[0]?.samples.accounts).toHaveLength(50)
    expect(writes.count).toBeLessThanOrEqual(3 * batchCount)
    expect(told.length).toBeLessThanOrEqual(6)
  })

  it('V15.2.2 make a dozen alerts of ten thousand attacks that have nothing in common', async () => {
    const { node, clock, db } = await fresh()
    const alerts = node()
    for (let batch = 0; batch < 5; batch += 1) {
      for (let index = 0; index < 2_000; index += 1) {
        const value = `10.${batch}.${index % 250}.${Math.floor(index / 250)}`
        alerts.raise(foundBy('brute-force', { subject: { by: 'address', value } }))
      }
      await alerts.idle()
      clock.nowMs += 1_000
    }
    const { items } = await alerts.list({ state: 'all' })
    expect(items).toHaveLength(11)
    expect(items.reduce((sum, { count }) => sum + count, 0)).toBe(10_000)
    const keys = await db.selectFrom(keysTable).selectAll().execute()
    expect(keys.length).toBeLessThanOrEqual(12)
    expect(await alerts.list({ severity: 'critical' })).toEqual({ items: [], nextCursor: null })
  })

  it('V15.4.2 of two nodes at once are one', async () => {
    const { node, names, failures } = await fresh()
    const nodes = [node(), node(), node()]
    for (let round = 0; round < 10; round += 1) {
      const value = `203.0.113.${round}`
      const found = foundBy(`d${round}`, {
        ...{ subject: { by: 'address', value }, accounts: [`a${round}`, `b${round}`] },
      })
      for (const alerts of nodes) alerts.raise(found)
    }
    await Promise.all(nodes.map((alerts) => alerts.idle()))
    for (const alerts of nodes) await alerts.idle()
    const items = (await nodes[0]?.list({ state: 'all' }))?.items ?? []
    expect(items.map(({ count, state }) => `${state} ${count}`)).toEqual(Array(10).fill('open 3'))
    expect(names().filter((name) => name === 'alert_opened')).toHaveLength(10)
    expect(failures).toEqual([])
  })

  it('V15.4.2 that are connected by two nodes at once lose no finding', async () => {
    const { node, failures } = await fresh()
    const nodes = [node(), node()]
    for (let round = 0; round < 20; round += 1)
      for (const [index, alerts] of nodes.entries()) {
        const value = `203.0.113.${index}`
        alerts.raise(foundBy('a', { subject: { by: 'address', value }, addresses: ['203.0.113.0', value] }))
      }
    await Promise.all(nodes.map((alerts) => alerts.idle()))
    for (const alerts of nodes) await alerts.idle()
    const items = (await nodes[0]?.list())?.items ?? []
    expect(items.map(({ count }) => count)).toEqual([40])
    expect(failures).toEqual([])
  })

  it('V16.3.3 are acknowledged, and closed, once, with a reason that goes to the trail', async () => {
    const { node, raised, events, told } = await fresh()
    const alerts = node()
    const [alert] = await raised(alerts, foundBy('a'))
    const id = alert?.id ?? ''
    expect(await alerts.acknowledge(id, act)).toMatchObject({
      ...{ state: 'acknowledged', acknowledgedBy: 'eve', reason: 'looking into it' },
    })
    await expect(alerts.acknowledge(id, act)).rejects.toMatchObject({ kind: 'conflict' })
    expect(await raised(alerts, foundBy('b'))).toMatchObject([{ id, state: 'acknowledged', count: 2 }])
    const closing = { actorId: 'mallory', reason: 'a test of ours' }
    expect(await alerts.close(id, closing)).toMatchObject({ state: 'closed', closedBy: 'mallory' })
    await expect(alerts.close(id, closing)).rejects.toThrow(AlertFault)
    await expect(alerts.acknowledge(id, act)).rejects.toMatchObject({ kind: 'conflict' })
    expect(await alerts.close('0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e4f', act)).toBeNull()
    await alerts.idle()
    expect(told.map((line) => line.split(' ')[0])).toEqual(['opened', 'acknowledged', 'grown', 'closed'])
    expect(events[1]).toMatchObject({ event: 'alert_changed', actorId: 'eve', reason: 'looking into it' })
    expect(events[1]?.details).toMatchObject({ from: 'open', to: 'acknowledged', what: 'acknowledged' })
    expect(events[3]?.details).toMatchObject({ from: 'acknowledged', to: 'closed', what: 'closed' })
  })

  it('V15.4.2 are acknowledged by one of two administrators at once', async () => {
    const { node, raised, names } = await fresh()
    const nodes = [node(), node()]
    const [first] = nodes
    const [alert] = first === undefined ? [] : await raised(first, foundBy('a'))
    const done = await Promise.allSettled(
      nodes.map((alerts, index) =>
        alerts.acknowledge(alert?.id ?? '', { actorId: `admin-${index}`, reason: 'mine' }),
      ),
    )
    expect(done.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(names()).toEqual(['alert_opened', 'alert_changed acknowledged'])
  })

  it.each([
    ['no reason', { actorId: 'eve', reason: ' ' }],
    ['a reason of two lines', { actorId: 'eve', reason: 'one\ntwo' }],
    ['a reason that hides text', { actorId: 'eve', reason: 'one \u202e two' }],
    ['a reason without end', { actorId: 'eve', reason: 'x'.repeat(501) }],
    ['nobody', { actorId: '', reason: 'x' }],
  ])('V2.2.1 refuse %s', async (_what, given) => {
    const { node, raised } = await fresh()
    const alerts = node()
    const [alert] = await raised(alerts, foundBy('a'))
    for (const change of [alerts.acknowledge, alerts.close, alerts.redeliver])
      await expect(change(alert?.id ?? '', given)).rejects.toMatchObject({ kind: 'unfit' })
  })

  it('V16.3.3 close themselves after a day without news, once, and are forgotten after 90', async () => {
    const { node, raised, clock, names, db } = await fresh()
    const nodes = [node(), node()]
    const [alerts] = nodes
    if (alerts === undefined) return
    const [first] = await raised(alerts, foundBy('a'))
    await alerts.acknowledge(first?.id ?? '', act)
    clock.nowMs += dayMs - hourMs
    await raised(alerts, foundBy('b', { subject: { by: 'account', value: 'ann' } }))
    clock.nowMs += hourMs
    await Promise.all(nodes.map((one) => one.upkeep()))
    expect((await alerts.list()).items).toMatchObject([{ detectors: ['b'] }])
    expect(await alerts.byId(first?.id ?? '')).toMatchObject({
      ...{ state: 'closed', closedBy: null, reason: 'nothing new for a day' },
    })
    expect(names().filter((name) => name === 'alert_changed closed')).toHaveLength(1)
    clock.nowMs += 91 * dayMs
    await alerts.idle()
    await alerts.upkeep()
    expect((await alerts.list({ state: 'all' })).items).toMatchObject([{ detectors: ['b'], state: 'closed' }])
    expect(await db.selectFrom(keysTable).selectAll().execute()).toEqual([])
  })

  it('V15.4.2 do not close themselves when something has come after all', async () => {
    const { node, raised, db, clock } = await fresh()
    const [alert] = await raised(node(), foundBy('a'))
    const change = { db, note: () => undefined, channels: [], nowMs: clock.nowMs, lifetimeMs: dayMs }
    expect(await closeIfQuiet(change, alert?.id ?? '', alert?.lastAt ?? '')).toBe(false)
  })

  it('V2.2.1 are listed by state and severity, in pages', async () => {
    const { node, raised } = await fresh()
    const alerts = node()
    const levels = ['info', 'warn', 'critical', 'warn', 'info'] as const
    for (const [index, level] of levels.entries())
      await raised(alerts, foundBy(`d${index}`, { level, subject: { by: 'account', value: `u${index}` } }))
    const first = await alerts.list({ limit: 2 })
    const second = await alerts.list({ limit: 2, cursor: first.nextCursor ?? undefined })
    const third = await alerts.list({ limit: 2, cursor: second.nextCursor ?? undefined })
    const detectors = [first, second, third].flatMap(({ items }) => items.flatMap((one) => one.detectors))
    expect([detectors, third.nextCursor]).toEqual([['d4', 'd3', 'd2', 'd1', 'd0'], null])
    expect((await alerts.list({ severity: 'warn' })).items).toHaveLength(3)
    await alerts.close(first.items[0]?.id ?? '', act)
    expect((await alerts.list({ state: 'closed' })).items).toHaveLength(1)
    expect((await alerts.list()).items).toHaveLength(4)
    await expect(alerts.list({ limit: 0 })).rejects.toThrow('1 to 1000')
    await expect(alerts.list({ cursor: '\0' })).rejects.toMatchObject({ kind: 'unfit' })
    await expect(alerts.deadLetters({ cursor: 'x' })).rejects.toMatchObject({ kind: 'unfit' })
  })

  it('V16.3.3 are there if, and only if, their event is', async () => {
    const { node, db, failures, events } = await fresh()
    const isBroken = { now: true }
    const alerts = node({
      trail: {
        transact: (work) =>
          db.transaction().execute(async (trx) => {
            const noted: SecurityEvent[] = []
            const done = await work(trx, (event) => void noted.push(event))
            if (isBroken.now) throw new TypeError('the trail is full')
            events.push(...noted)
            return done
          }),
      },
    })
    alerts.raise(foundBy('a'))
    await alerts.idle()
    expect((await alerts.list()).items).toEqual([])
    expect(failures).toHaveLength(1)
    isBroken.now = false
    await alerts.idle()
    expect((await alerts.list()).items).toMatchObject([{ count: 1 }])
    expect(events).toHaveLength(1)
  })

  it('V16.3.3 read what somebody has written into their table by hand', async () => {
    const { node, raised, db } = await fresh()
    const alerts = node()
    await raised(alerts, foundBy('a'))
    await db.updateTable(alertsTable).set({ samples: '{"addresses":[1,"x"]', detectors: 'null' }).execute()
    expect((await alerts.list()).items).toMatchObject([{ detectors: [], samples: { addresses: [] } }])
  })

  it('V15.2.1 can be taken out of the database again', async () => {
    const { database } = await fresh()
    expect((await migrateDown(database, history)).done).toEqual(['0013-alerts'])
  })
})

describe('alerts of two processes on one SQLite file', () => {
  it('V15.4.2 are one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-alerts-'))
    toDo.push(async () => rmSync(folder, { recursive: true }))
    const path = join(folder, 'app.sqlite')
    const database = openDatabase(path)
    toDo.push(() => database.close())
    await migrateUp(database, history)
    const errors = await Promise.all([0, 1, 2].map(() => runNode(path)))
    expect(errors).toEqual(['', '', ''])
    const { db } = database
    const alerts = openAlerts({ db, trail: notedTrail(db), channels: [], onFailure: () => undefined })
    const { items } = await alerts.list({ state: 'all' })
    expect(items.map(({ count, state }) => `${state} ${count}`)).toEqual(Array(10).fill('open 3'))
    await alerts.end()
  })
})

/** Runs a process that raises ten attacks. @returns what it complained of */
async function runNode(path: string): Promise<string> {
  const script = new URL('../../test/kit/alert-node.ts', import.meta.url).pathname
  const options = { stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'] }
  const child = spawn(process.execPath, ['--conditions=holdfast-source', script, path], options)
  const chunks: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(child, 'close')
  return Buffer.concat(chunks).toString()
}
