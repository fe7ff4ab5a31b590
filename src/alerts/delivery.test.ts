import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type AlertReceiver, foundBy, startAlertReceiver } from '../../test/kit/alert-receivers.ts'
import { engineKinds, freshDatabase } from '../../test/kit/databases.ts'
import { notedTrail } from '../../test/kit/trail.ts'
import { Secret } from '../base/index.ts'
import { migrateUp, openDatabase } from '../data/index.ts'
import type { SecurityEvent } from '../events/index.ts'
import type { Alert } from './alert.ts'
import { type AlertsParts, type OpenAlerts, openAlerts } from './alerts.ts'
import { alertChannels, type ChannelTargets } from './channels/index.ts'
import { claim } from './deliveries.ts'
import { alertsMigration, alertsTable, deliveriesTable, keysTable } from './migration.ts'
import { defaultSchedule, retryWaitMs } from './schedule.ts'

const minuteMs = 60_000
const dayMs = 86_400_000
const history = { migrations: [alertsMigration], table: 'holdfast_own_migrations' }
const act = { actorId: 'eve', reason: 'the receiver is back' }
const key = 'k4Tz9QxW1sVb7NcR2yLm'
const secret = Buffer.from('q7Jf0cN2xW8sK4mZ1vB6tY9rD3hL5gPaUoEiQwRjXkM=', 'base64')
const toDo: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const undo of toDo.splice(0).reverse()) await undo()
})

async function receiver(): Promise<AlertReceiver> {
  const started = await startAlertReceiver()
  toDo.push(() => started.close())
  return started
}

const nowhere: ChannelTargets = { mailTo: [], webhook: null, slack: null, pagerDuty: null, syslog: null }

describe.each(engineKinds)('deliveries of alerts on %s', (engine) => {
  async function fresh() {
    const { database, drop } = await freshDatabase(engine)
    toDo.push(drop)
    await migrateUp(database, history)
    const { db } = database
    const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z') }
    const nowMs = () => clock.nowMs
    const events: SecurityEvent[] = []
    const failures: string[] = []
    const node = (targets: Partial<ChannelTargets>, about: Partial<AlertsParts> = {}): OpenAlerts => {
      const sendMail = async (): Promise<void> => undefined
      const channels = alertChannels({ ...nowhere, ...targets }, { source: 'notes.example.com', sendMail })
      const onFailure = (error: unknown) => void failures.push(String(error))
      const parts = { db, trail: notedTrail(db, events), channels, onFailure, nowMs, ...about }
      const alerts = openAlerts(parts)
      toDo.push(() => alerts.end())
      return alerts
    }
    const raised = async (alerts: OpenAlerts, detector = 'a'): Promise<Alert> => {
      alerts.raise(foundBy(detector))
      await alerts.idle()
      const [alert] = (await alerts.list()).items
      if (alert === undefined) throw new Error('there is no alert')
      return alert
    }
    return { db, clock, nowMs, events, failures, node, raised }
  }

  const webhookTo = ({ url }: AlertReceiver): Partial<ChannelTargets> => ({
    webhook: { url: new Secret(`${url}?token=${key}`), secret: new Secret(secret) },
  })

  it('V16.5.2 are made again, later each time, until the receiver takes them, with the same id', async () => {
    const { node, raised, clock, failures } = await fresh()
    const hook = await receiver()
    hook.behave({ kind: 'answers', status: 503 }, 3)
    const alerts = node(webhookTo(hook))
    const { id } = await raised(alerts)
    const waits: number[] = []
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const [delivery] = await alerts.deliveries(id)
      expect(delivery).toMatchObject({
        ...{ channel: 'webhook', kind: 'opened', state: 'waiting', attemptCount: attempt },
        lastError: 'the receiver answered 503',
      })
      await alerts.idle()
      expect(hook.posts).toHaveLength(attempt)
      const nextMs = Date.parse(delivery?.nextAt ?? '')
      waits.push(nextMs - clock.nowMs)
      clock.nowMs = nextMs
      await alerts.idle()
    }
    expect(await alerts.deliveries(id)).toMatchObject([{ state: 'sent', attemptCount: 4, lastError: null }])
    expect(new Set(hook.posts.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(new Set(hook.posts.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(4)
    for (const [index, waitMs] of waits.entries()) {
      expect(waitMs).toBeGreaterThanOrEqual(3_750 * 2 ** index)
      expect(waitMs).toBeLessThanOrEqual(6_250 * 2 ** index)
    }
    expect(failures).toHaveLength(3)
    expect(failures[0]).toContain(
      'alert by webhook, attempt 1: the receiver answered 503. It is tried again.',
    )
  })

  it('V16.5.2 wait as long as the receiver asks for', async () => {
    const { node, raised, clock } = await fresh()
    const hook = await receiver()
    hook.behave({ kind: 'answers', status: 429, headers: { 'retry-after': '120' } })
    const alerts = node(webhookTo(hook))
    const { id } = await raised(alerts)
    const [delivery] = await alerts.deliveries(id)
    expect(Date.parse(delivery?.nextAt ?? '') - clock.nowMs).toBe(120_000)
  })

  it('V16.5.2 are dead letters after a day, which are listed and delivered again', async () => {
    const { node, raised, clock, failures, events } = await fresh()
    const hook = await receiver()
    hook.behave({ kind: 'answers', status: 500 })
    const alerts = node(webhookTo(hook))
    const { id } = await raised(alerts)
    for (;;) {
      const [delivery] = await alerts.deliveries(id)
      if (delivery?.state !== 'waiting') break
      clock.nowMs = Date.parse(delivery.nextAt)
      await alerts.idle()
    }
    expect(hook.posts.length).toBeGreaterThan(25)
    expect(clock.nowMs - Date.parse('2026-01-01T00:00:00Z')).toBeLessThan(dayMs)
    expect(failures.at(-1)).toContain('It is given up.')
    const { items, nextCursor } = await alerts.deadLetters()
    expect([items.length, nextCursor]).toEqual([1, null])
    const dead = items[0]?.id ?? ''
    expect(items[0]).toMatchObject({ alertId: id, state: 'dead', lastError: 'the receiver answered 500' })
    hook.behave({ kind: 'takes' })
    expect(await alerts.redeliver(dead, act)).toMatchObject({ id: dead, state: 'waiting', attemptCount: 0 })
    await expect(alerts.redeliver(dead, act)).rejects.toMatchObject({ kind: 'conflict' })
    expect(await alerts.redeliver('0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e4f', act)).toBeNull()
    await alerts.idle()
    expect(await alerts.deliveries(id)).toMatchObject([{ state: 'sent' }])
    expect((await alerts.deadLetters()).items).toEqual([])
    expect(events.at(-1)).toMatchObject({ actorId: 'eve', details: { what: 'sent again', alertId: id } })
    await expect(alerts.deadLetters({ limit: 1_001 })).rejects.toMatchObject({ kind: 'unfit' })
  })

  it('V16.5.2 of a process that died are made by another, once its lease is over', async () => {
    const { node, raised, clock, nowMs, db } = await fresh()
    const hook = await receiver()
    const { id } = await raised(node(webhookTo(hook)))
    await db.updateTable(deliveriesTable).set({ state: 'waiting' }).execute()
    const died = await claim(db, 'webhook', { nowMs: nowMs(), leaseMs: defaultSchedule.leaseMs })
    expect(died).toMatchObject({ alertId: id, attemptCount: 2 })
    const alerts = node(webhookTo(hook))
    await alerts.idle()
    expect(hook.posts).toHaveLength(1)
    clock.nowMs += defaultSchedule.leaseMs
    await alerts.idle()
    expect(hook.posts).toHaveLength(2)
    expect(await alerts.deliveries(id)).toMatchObject([{ state: 'sent', attemptCount: 3 }])
  })

  it('V15.4.2 are made by one of several nodes', async () => {
    const { node, failures } = await fresh()
    const hook = await receiver()
    const nodes = [node(webhookTo(hook)), node(webhookTo(hook)), node(webhookTo(hook))]
    for (let index = 0; index < 20; index += 1)
      nodes[index % 3]?.raise(foundBy(`d${index}`, { subject: { by: 'account', value: `u${index}` } }))
    for (let round = 0; round < 3; round += 1) await Promise.all(nodes.map((alerts) => alerts.idle()))
    const ids = hook.posts.map(({ headers }) => headers['webhook-id'])
    expect([ids.length, new Set(ids).size]).toEqual([20, 20])
    expect(failures).toEqual([])
  })

  it('V16.5.2 keep their order for each alert: nobody is called out for what is over', async () => {
    const { node, raised, clock } = await fresh()
    const [hook, pager] = [await receiver(), await receiver()]
    for (const one of [hook, pager]) one.behave({ kind: 'answers', status: 500 }, 1)
    const pagerDuty = { url: new Secret(pager.url), key: new Secret(key) }
    const alerts = node({ ...webhookTo(hook), pagerDuty })
    const { id } = await raised(alerts)
    await alerts.acknowledge(id, act)
    await alerts.close(id, act)
    await alerts.idle()
    expect([hook.posts.length, pager.posts.length]).toEqual([1, 1])
    clock.nowMs += minuteMs
    await alerts.idle()
    const types = hook.posts.map(({ body }) => JSON.parse(body).type)
    expect(types).toEqual(['alert.opened', 'alert.opened', 'alert.acknowledged', 'alert.closed'])
    const actions = pager.posts.map(({ body }) => JSON.parse(body).event_action)
    expect(actions).toEqual(['trigger', 'resolve', 'resolve', 'resolve'])
  })

  it('V16.5.2 by one channel are held up by no other', async () => {
    const { node } = await fresh()
    const [hook, chat] = [await receiver(), await receiver()]
    hook.behave({ kind: 'stalls' })
    const schedule = { ...defaultSchedule, closeMs: 50 }
    const alerts = node({ ...webhookTo(hook), slack: new Secret(chat.url) }, { schedule })
    for (let index = 0; index < 5; index += 1)
      alerts.raise(foundBy(`d${index}`, { subject: { by: 'account', value: `u${index}` } }))
    await chat.received(5)
    expect(hook.posts.length).toBeLessThanOrEqual(1)
  })

  it('V16.5.2 that are cut off by the end stay, and are due at once', async () => {
    const { node, failures, nowMs, db } = await fresh()
    const hook = await receiver()
    hook.behave({ kind: 'stalls' })
    const schedule = { ...defaultSchedule, closeMs: 50 }
    const alerts = node(webhookTo(hook), { schedule })
    alerts.raise(foundBy('a'))
    await hook.received(1)
    await alerts.end()
    expect(failures).toEqual([])
    expect(await claim(db, 'webhook', { nowMs: nowMs(), leaseMs: 1 })).toMatchObject({ kind: 'opened' })
  })

  it('V16.5.2 that nobody makes are given up, those of a channel that is gone too', async () => {
    const { node, raised, clock } = await fresh()
    const hook = await receiver()
    hook.behave({ kind: 'answers', status: 500 })
    const { id } = await raised(node(webhookTo(hook)))
    const alerts = node({})
    clock.nowMs += dayMs
    await alerts.upkeep()
    expect(await alerts.deliveries(id)).toMatchObject([{ state: 'waiting' }])
    clock.nowMs += dayMs
    await alerts.upkeep()
    expect(await alerts.deliveries(id)).toMatchObject([{ state: 'dead' }])
  })

  it('V16.2.5 hold no secret: not in rows, not in errors, not in what is listed', async () => {
    const { node, raised, failures, db, events, clock } = await fresh()
    const hook = await receiver()
    const targets: ChannelTargets = {
      mailTo: [],
      ...webhookTo(hook),
      webhook: { url: new Secret(`${hook.url}?token=${key}`), secret: new Secret(secret) },
      slack: new Secret(`http://127.0.0.1:1/${key}`),
      pagerDuty: { url: new Secret(hook.url), key: new Secret(key) },
      syslog: { protocol: 'tcp', host: '127.0.0.1', port: 1 },
    }
    hook.behave({ kind: 'answers', status: 302, headers: { location: `http://127.0.0.1:1/${key}` } })
    const alerts = node(targets)
    const { id } = await raised(alerts)
    clock.nowMs += minuteMs
    await alerts.idle()
    const rows = await Promise.all(
      [alertsTable, keysTable, deliveriesTable].map((table) => db.selectFrom(table).selectAll().execute()),
    )
    const all = JSON.stringify([rows, failures, events, await alerts.deliveries(id)])
    for (const hidden of [key, secret.toString('base64'), secret.toString('hex'), hook.url, '127.0.0.1'])
      expect(all).not.toContain(hidden)
    const reasons = (await alerts.deliveries(id)).map(({ channel, lastError }) => `${channel}: ${lastError}`)
    expect(reasons.sort()).toEqual([
      'pagerduty: the receiver answered 302',
      'slack: the receiver refused the connection',
      'syslog: the receiver refused the connection',
      'webhook: the receiver answered 302',
    ])
    expect(hook.posts).toHaveLength(4)
  })
})

describe('deliveries of a process that is killed', () => {
  it('V16.5.2 are made by the next one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-alerts-'))
    toDo.push(async () => rmSync(folder, { recursive: true }))
    const path = join(folder, 'app.sqlite')
    const database = openDatabase(path)
    toDo.push(() => database.close())
    await migrateUp(database, history)
    const hook = await receiver()
    hook.behave({ kind: 'stalls' })
    const script = new URL('../../test/kit/alert-node.ts', import.meta.url).pathname
    const args = ['--conditions=holdfast-source', script, path, hook.url]
    const child = spawn(process.execPath, args, { stdio: 'ignore' })
    await hook.received(1)
    child.kill('SIGKILL')
    await once(child, 'close')
    hook.behave({ kind: 'takes' })
    const { db } = database
    const webhook = { url: new Secret(hook.url), secret: new Secret(secret) }
    const channels = alertChannels(
      { ...nowhere, webhook },
      { source: 'x.example', sendMail: async () => undefined },
    )
    const clock = { nowMs: Date.now() + defaultSchedule.leaseMs + minuteMs }
    const parts = { db, trail: notedTrail(db), channels, onFailure: () => undefined }
    const alerts = openAlerts({ ...parts, nowMs: () => clock.nowMs })
    await alerts.idle()
    const states = await db.selectFrom(deliveriesTable).select('state').execute()
    expect(new Set(states.map(({ state }) => state))).toEqual(new Set(['sent']))
    const ids = hook.posts.map(({ headers }) => headers['webhook-id'])
    expect(ids.filter((id) => id === ids[0])).toHaveLength(2)
    await alerts.end()
  })
})

describe('the times between attempts', () => {
  it('V16.5.2 double up to an hour, and differ by chance', () => {
    const waits = [1, 2, 3, 10, 11, 12, 40].map((count) => retryWaitMs(count, 0.5))
    expect(waits).toEqual([5_000, 10_000, 20_000, 2_560_000, 3_600_000, 3_600_000, 3_600_000])
    expect([retryWaitMs(1, 0), retryWaitMs(1, 1)]).toEqual([3_750, 6_250])
  })
})
