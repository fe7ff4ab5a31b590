import { describe, expect, it } from 'vitest'
import { engineKinds, freshDatabase } from '../../test/kit/databases.ts'
import { notedTrail } from '../../test/kit/trail.ts'
import { migrateUp } from '../data/index.ts'
import type { SecurityEvent } from '../events/index.ts'
import { BanFault, type BanOrder } from './ban.ts'
import { BanIndex } from './ban-index.ts'
import { TableBans } from './bans.ts'
import { type BanFollower, followBans } from './follow.ts'
import { bansMigration, bansTable } from './migration.ts'
import { neverBanned } from './never-banned.ts'

const minuteMs = 60_000
const dayMs = 86_400_000

describe.each(engineKinds)('bans on %s', (engine) => {
  async function fresh({ proxies = [], allowed = [] }: { proxies?: string[]; allowed?: string[] } = {}) {
    const { database, drop } = await freshDatabase(engine)
    await migrateUp(database, { migrations: [bansMigration], table: 'holdfast_own_migrations' })
    const { db } = database
    const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z') }
    const nowMs = (): number => clock.nowMs
    const never = neverBanned(proxies, allowed)
    const events: SecurityEvent[] = []
    const opened: BanFollower[] = []
    // Never read by a timer here, and as old as the clock says. Each has a clock of its own that may be behind.
    const node = async (behindMs = 0) => {
      const own = (): number => clock.nowMs - behindMs
      const index = new BanIndex({ never, nowMs: own })
      const times = { nowMs: own, monotonicMs: own, everyMs: 3_600_000 }
      const follower = await followBans({ db, index, ...times })
      opened.push(follower)
      const parts = { db, never, trail: notedTrail(db, events), nowMs: own }
      const bans = new TableBans({ ...parts, onChange: (record) => follower.note(record) })
      return { bans, index, follower, isBanned: (address: string) => index.addressBannedForMs(address) }
    }
    const rowCount = async (): Promise<number> =>
      (await db.selectFrom(bansTable).selectAll().execute()).length
    const close = async (): Promise<void> => {
      for (const one of opened) await one.close()
      await drop()
    }
    return { db, clock, nowMs, node, events, rowCount, close }
  }

  const order: BanOrder = { address: '203.0.113.9', reason: 'scans', forMs: minuteMs }

  it('V2.4.1 are in force where they were made at once, elsewhere at the next reading, and end by lifting', async () => {
    const { node, close } = await fresh()
    const [here, there] = [await node(), await node()]
    const ban = await here.bans.ban(order)
    expect(ban).toEqual({
      ...{ id: ban.id, kind: 'address', target: '203.0.113.9', reason: 'scans', origin: 'manual' },
      ...{ madeBy: null, madeAt: '2026-01-01T00:00:00.000Z', expiresAt: '2026-01-01T00:01:00.000Z' },
      ...{ liftedAt: null, liftedBy: null },
    })
    expect([here.isBanned('203.0.113.9'), there.isBanned('203.0.113.9')]).toEqual([minuteMs, undefined])
    await there.follower.read()
    expect(there.isBanned('203.0.113.9')).toBe(minuteMs)
    expect(await there.bans.lift({ id: ban.id }, { actorId: 'eve' })).toMatchObject({ liftedBy: 'eve' })
    expect(there.isBanned('203.0.113.9')).toBeUndefined()
    await here.follower.read()
    expect(here.isBanned('203.0.113.9')).toBeUndefined()
    expect(await here.bans.lift({ id: ban.id })).toBeNull()
    await close()
  })

  it('V2.4.1 are known to a node that starts later', async () => {
    const { node, clock, close } = await fresh()
    const first = await node()
    await first.bans.ban({ ...order, forMs: 400 * dayMs })
    await first.bans.ban({ account: 'ann', reason: 'spam' })
    await first.bans.ban({ address: '203.0.113.10', reason: 'short', forMs: 1_000 })
    clock.nowMs += 200 * dayMs
    const later = await node()
    expect([later.isBanned('203.0.113.9'), later.isBanned('203.0.113.10')]).toEqual([200 * dayMs, undefined])
    expect(later.index.accountBannedForMs('ann')).toBe(Number.POSITIVE_INFINITY)
    expect(later.index.count).toBe(2)
    await close()
  })

  it('V2.4.1 of a node whose clock is behind, or that was away, are found', async () => {
    const { node, clock, close } = await fresh()
    const [here, behind] = [await node(), await node(30_000)]
    clock.nowMs += 10_000
    await here.follower.read()
    await behind.bans.ban({ ...order, forMs: 2 * minuteMs })
    clock.nowMs += 5_000
    await here.follower.read()
    expect(here.isBanned('203.0.113.9')).toBe(85_000)
    await behind.bans.ban({ address: '203.0.113.10', reason: 'x', forMs: 3_600_000 })
    clock.nowMs += 20 * minuteMs
    await here.follower.read()
    expect(here.isBanned('203.0.113.10')).toBeDefined()
    await close()
  })

  it('V15.4.2 of one target at once are one row, with the latest end', async () => {
    const { node, rowCount, close } = await fresh()
    const nodes = [await node(), await node()]
    const orders = Array.from({ length: 20 }, (_, index) => ({ ...order, forMs: (index + 1) * minuteMs }))
    await Promise.all(orders.map((one, index) => nodes[index % 2]?.bans.ban(one)))
    expect(await rowCount()).toBe(1)
    for (const one of nodes) {
      await one.follower.read()
      expect(one.isBanned('203.0.113.9')).toBe(20 * minuteMs)
    }
    await close()
  })

  it('V2.4.1 a second ban extends, never shortens, and a detector does not overwrite a person', async () => {
    const { node, events, rowCount, close } = await fresh()
    const { bans } = await node()
    const detector = { origin: 'scanner', actorId: 'node-1' }
    const first = await bans.ban({ ...order, ...detector })
    expect(first).toMatchObject({ origin: 'scanner', madeBy: 'node-1' })
    const byHand = await bans.ban({ ...order, reason: 'seen', forMs: 10 * minuteMs, actorId: 'eve' })
    expect(byHand).toMatchObject({ id: first.id, origin: 'manual', reason: 'seen', madeBy: 'eve' })
    const again = await bans.ban({ ...order, ...detector, reason: 'again', forMs: 5 * minuteMs })
    expect(again).toEqual(byHand)
    const longer = await bans.ban({ ...order, ...detector, forMs: 20 * minuteMs })
    expect(longer).toMatchObject({ reason: 'seen', expiresAt: '2026-01-01T00:20:00.000Z' })
    const endless = await bans.ban({ address: '203.0.113.9', reason: 'for good' })
    expect(endless.expiresAt).toBeNull()
    expect((await bans.ban(order)).expiresAt).toBeNull()
    expect(await rowCount()).toBe(1)
    expect(events.map(({ details }) => `${details?.['from']} ${details?.['to']}`)).toEqual([
      'free banned',
      ...Array.from({ length: 5 }, () => 'banned banned'),
    ])
    await close()
  })

  it('a target can be banned again after its ban has ended, and both stand in the list', async () => {
    const { node, clock, close } = await fresh()
    const { bans, isBanned } = await node()
    const first = await bans.ban(order)
    clock.nowMs += minuteMs
    expect(await bans.lift({ address: '203.0.113.9' })).toBeNull()
    const second = await bans.ban(order)
    expect(second.id).not.toBe(first.id)
    await bans.lift({ range: '203.0.113.9/32' })
    clock.nowMs += 1
    const third = await bans.ban(order)
    expect(isBanned('203.0.113.9')).toBe(minuteMs)
    const all = await bans.list({ state: 'all' })
    expect(all.items.map(({ id }) => id)).toEqual([third.id, second.id, first.id])
    expect((await bans.list()).items.map(({ id }) => id)).toEqual([third.id])
    await close()
  })

  it('are listed in pages', async () => {
    const { node, close } = await fresh()
    const { bans } = await node()
    for (let host = 0; host < 5; host += 1) await bans.ban({ ...order, address: `203.0.113.${host}` })
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await bans.list({ limit: 2, cursor })
      found.push(...page.items.map(({ target }) => target))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(found).toEqual([4, 3, 2, 1, 0].map((host) => `203.0.113.${host}`))
    for (const limit of [0, -1, 1.5, 1_001, Number.NaN])
      await expect(bans.list({ limit })).rejects.toThrow(BanFault)
    await close()
  })

  it('V2.2.1 V16.4.1 are refused without a reason, an end that is none, or a detector’s end', async () => {
    const { node, clock, rowCount, close } = await fresh()
    const { bans } = await node()
    const { address } = { address: '203.0.113.9' }
    const wrong: readonly BanOrder[] = [
      { address, reason: ' ' },
      { address, reason: 'x'.repeat(501) },
      { address, reason: 'a\nlevel=fatal' },
      { address, reason: 'a\u001b[2J' },
      ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e15].map((forMs) => ({ ...order, forMs })),
      { address, reason: 'x', until: new Date(clock.nowMs) },
      { address, reason: 'x', until: new Date(Number.NaN) },
      { ...order, until: new Date(clock.nowMs + 1) },
      { address, reason: 'x', origin: 'scanner' },
      { ...order, origin: 'Scanner' },
      { ...order, origin: '' },
      { ...order, actorId: 'a\rb' },
    ]
    for (const one of wrong)
      await expect(bans.ban(one), JSON.stringify(one)).rejects.toMatchObject({ kind: 'unfit' })
    await expect(Reflect.apply(bans.ban, bans, [{ address }])).rejects.toMatchObject({ kind: 'unfit' })
    expect(await rowCount()).toBe(0)
    await close()
  })

  it('V15.3.4 V8.2.4 are refused for a proxy and the allow list, with nothing written', async () => {
    const { node, rowCount, events, close } = await fresh({
      proxies: ['10.0.0.0/8'],
      allowed: ['198.51.100.7'],
    })
    const { bans } = await node()
    await expect(bans.ban({ ...order, address: '10.1.2.3' })).rejects.toMatchObject({ kind: 'trusted-proxy' })
    await expect(bans.ban({ ...order, address: '198.51.100.7' })).rejects.toMatchObject({
      kind: 'never-banned',
    })
    expect([await rowCount(), events]).toEqual([0, []])
    await close()
  })

  it('V16.2.1 V16.3.3 are security events: who, whom, why, until when', async () => {
    const { node, events, close } = await fresh()
    const { bans } = await node()
    const { id } = await bans.ban({ ...order, actorId: 'eve' })
    await bans.lift({ id }, { actorId: 'mallory' })
    const ban = { banId: id, kind: 'address', target: '203.0.113.9', origin: 'manual' }
    const until = '2026-01-01T00:01:00.000Z'
    const event = { event: 'authz_change', reason: 'scans' }
    expect(events).toEqual([
      { ...event, actorId: 'eve', details: { ...ban, from: 'free', to: 'banned', until } },
      { ...event, actorId: 'mallory', details: { ...ban, from: 'banned', to: 'free', until } },
    ])
    await close()
  })

  it('V14.2.7 are forgotten a month after their end, and not before', async () => {
    const { node, clock, rowCount, close } = await fresh()
    const { bans } = await node()
    await bans.ban(order)
    await bans.ban({ address: '203.0.113.10', reason: 'for good' })
    const lifted = await bans.ban({ address: '203.0.113.11', reason: 'for good' })
    await bans.lift({ id: lifted.id })
    clock.nowMs += 30 * dayMs
    await bans.clean()
    expect(await rowCount()).toBe(3)
    clock.nowMs += 2 * minuteMs
    await bans.clean()
    expect((await bans.list({ state: 'all' })).items.map(({ target }) => target)).toEqual(['203.0.113.10'])
    await close()
  })

  it('V16.5.2 V16.5.3 stay in force while the table cannot be read; that is said once, and ends', async () => {
    const { db, node, clock, nowMs, close } = await fresh()
    const { bans, index } = await node()
    await bans.ban(order)
    const failures: unknown[] = []
    let readingCount = 0
    const monotonicMs = (): number => {
      readingCount += 1
      return clock.nowMs
    }
    const onFailure = (error: unknown) => void failures.push(error)
    const follower = await followBans({ db, index, nowMs, monotonicMs, everyMs: 1, onFailure })
    const someReadings = async (): Promise<void> => {
      const wantedCount = readingCount + 5
      await expect.poll(() => readingCount, { interval: 5, timeout: 10_000 }).toBeGreaterThan(wantedCount)
    }
    for (const wantedCount of [1, 2]) {
      await db.schema.alterTable(bansTable).renameTo('elsewhere').execute()
      await someReadings()
      expect(failures).toHaveLength(wantedCount)
      expect(index.addressBannedForMs('203.0.113.9')).toBe(minuteMs)
      await db.schema.alterTable('elsewhere').renameTo(bansTable).execute()
      await someReadings()
    }
    expect(failures).toHaveLength(2)
    await bans.lift({ address: '203.0.113.9' })
    await expect.poll(() => index.count, { interval: 5 }).toBe(0)
    await follower.close()
    await close()
  })

  it('V15.2.2 are read in pages, all of them', async () => {
    const { db, node, clock, close } = await fresh()
    const at = new Date(clock.nowMs).toISOString()
    const rows = Array.from({ length: 1_203 }, (_, index) => {
      const target = `10.0.${index >> 8}.${index & 255}`
      const id = `hand-${String(index).padStart(5, '0')}`
      return {
        ...{ id, openKey: `network ${target}`, kind: 'address', target, reason: 'x', origin: 'scanner' },
        ...{ madeBy: null, madeAt: at, expiresAt: null, liftedAt: null, liftedBy: null, changedAt: at },
      }
    })
    const early = await node()
    for (let from = 0; from < rows.length; from += 50)
      await db
        .insertInto(bansTable)
        .values(rows.slice(from, from + 50))
        .execute()
    await early.follower.read()
    expect([early.index.count, (await node()).index.count]).toEqual([1_203, 1_203])
    await close()
  })
})
