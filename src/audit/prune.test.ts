import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { emitMany, type TrailWorld, trailWorld } from '../../test/kit/audit.ts'
import { engineKinds } from '../../test/kit/databases.ts'
import {
  chainsTable,
  checkpointsTable,
  eventsTable,
  type OpenTrail,
  PruneRefused,
  pruneTrail,
  trailReader,
  verifyTrail,
} from './index.ts'

const dayMs = 86_400_000

describe.each(engineKinds)('pruning the trail on %s', { timeout: 60_000 }, (engine) => {
  let world: TrailWorld
  let nowMs: number
  beforeEach(async () => {
    world = await trailWorld(engine)
    nowMs = Date.now() - 10 * dayMs
  })
  afterEach(() => world.drop())

  const openThen = (): OpenTrail => world.open({ nowMs: () => nowMs })
  const longAgo = () => new Date(Date.now() - 5 * dayMs)
  const prune = () => pruneTrail(world.db, world.keys, { before: longAgo() })
  /** A chain with rows from ten days ago and from now. */
  const written = async (oldCount: number, newCount: number): Promise<OpenTrail> => {
    nowMs = Date.now() - 10 * dayMs
    const trail = openThen()
    await emitMany(trail, oldCount)
    nowMs = Date.now()
    if (newCount > 0) await emitMany(trail, newCount)
    return trail
  }

  it('V14.2.7 V16.4.2 removes what is old, and the rest verifies as before', async () => {
    const long = await written(1_200, 30)
    const short = await written(5, 0)
    await short.close()
    const trail = world.open()
    const reader = trailReader(world.db, world.keys, trail)
    const order = { before: longAgo() }
    expect(await reader.prune(order, { actorId: 'chief', reason: 'kept for 5 days' })).toEqual({
      rowCount: 1_205,
      chainCount: 2,
    })
    await trail.idle()
    expect(await world.rows()).toHaveLength(31)
    expect((await reader.latest({ event: 'audit_pruned' }, 1))[0]).toMatchObject({
      actorId: 'chief',
      reason: 'kept for 5 days',
      details: { rows: 1_205, before: order.before.toISOString() },
    })
    expect(await world.findings()).toEqual([])
    // It goes on from there, and again.
    await emitMany(long, 10)
    expect(await reader.prune(order, { reason: 'again' })).toEqual({ rowCount: 0, chainCount: 0 })
    nowMs = Date.now()
    const later = { before: new Date(Date.now() + dayMs), nowMs: () => Date.now() + 2 * dayMs }
    expect((await pruneTrail(world.db, world.keys, later)).rowCount).toBe(41)
    await emitMany(long, 3)
    await long.close()
    await trail.close()
    expect(await verifyTrail(world.db, world.keys)).toMatchObject({ rowCount: 3, findings: [] })
  })

  it('V16.4.2 refuses what does not verify, names it, and removes nothing of any chain', async () => {
    const good = await written(5, 1)
    const bad = await written(5, 1)
    await world.disarm()
    await world.db
      .updateTable(eventsTable)
      .set({ userId: 'mallory' })
      .where('chain', '=', bad.chain)
      .where('seq', '=', 3)
      .execute()
    const refusal = await prune().catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(PruneRefused)
    expect(refusal).toMatchObject({ findings: [{ kind: 'changed', chain: bad.chain, fromSeq: 3 }] })
    expect(await world.rows()).toHaveLength(12)
    await good.close()
    await bad.close()
  })

  it.each([
    ['its entry', chainsTable],
    ['its checkpoints', checkpointsTable],
  ])('V16.4.2 refuses to remove a chain that has lost %s', async (_, table) => {
    const trail = await written(1_100, 0)
    await trail.close()
    await world.disarm()
    await world.db.deleteFrom(table).execute()
    if (table === chainsTable) await expect(prune()).rejects.toThrow(PruneRefused)
    expect((await world.findings()).length).toBeGreaterThan(0)
  })

  it('V16.4.2 is whole at every step: killed after it has signed, the next one goes on', async () => {
    const trail = await written(1_100, 5)
    await trail.close()
    // Up to the mark, as in a process that is killed there: its rows are still in the table.
    const { db } = world
    const dies = new Proxy(db, {
      get: (target, name) =>
        name === 'deleteFrom'
          ? () => {
              throw new TypeError('killed')
            }
          : (Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)),
    })
    await expect(pruneTrail(dies, world.keys, { before: longAgo() })).rejects.toThrow('killed')
    expect(await world.chains()).toMatchObject([{ prunedSeq: 1_100 }])
    expect(await world.rows()).toHaveLength(1_105)
    expect(await world.findings()).toEqual([])
    expect(await prune()).toEqual({ rowCount: 1_100, chainCount: 1 })
    expect(await world.rows()).toHaveLength(5)
    expect(await world.findings()).toEqual([])
  })

  it('V16.4.2 may be done by two at once', async () => {
    const trail = await written(50, 5)
    await trail.close()
    const done = await Promise.all([prune(), prune()])
    expect(done.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(50)
    expect(await world.findings()).toEqual([])
  })

  it('V16.4.2 is found out when it was not signed, or signed for less', async () => {
    const trail = await written(50, 5)
    await trail.close()
    await prune()
    await world.disarm()
    await world.db.updateTable(chainsTable).set({ prunedSeq: 52 }).execute()
    await world.db.deleteFrom(eventsTable).where('seq', '<=', 52).execute()
    expect((await world.findings()).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['pruned-unsigned', 'removed']),
    )
    await world.db.deleteFrom(checkpointsTable).where('kind', '=', 'pruned').execute()
    expect((await world.findings()).map(({ kind }) => kind)).toContain('pruned-unsigned')
  })

  it('V2.2.1 refuses a time that is none, or to come', async () => {
    for (const wrong of [new Date('never'), new Date(Date.now() + dayMs)])
      await expect(pruneTrail(world.db, world.keys, { before: wrong })).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
      })
  })
})
