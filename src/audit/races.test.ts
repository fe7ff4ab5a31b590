import type { KyselyPlugin } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { emitMany, type TrailWorld, trailWorld } from '../../test/kit/audit.ts'
import { type EngineKind, engineKinds } from '../../test/kit/databases.ts'
import { chainsTable, eventsTable, PruneRefused, pruneTrail, verifyTrail } from './index.ts'

/** Does something once, between a read that gives this column and the next read. */
function after(column: string, work: () => Promise<unknown>, engine: EngineKind) {
  let done: Promise<unknown> | undefined
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      if (done !== undefined || result.rows[0] === undefined || !Object.hasOwn(result.rows[0], column))
        return result
      done = work()
      // SQLite has one connection, which is held until this returns: there it is done in between as it comes.
      if (engine === 'postgres') await done
      return result
    },
  }
  return { plugin, done: () => done }
}

describe.each(engineKinds)('a trail that changes while it is read, on %s', { timeout: 60_000 }, (engine) => {
  let world: TrailWorld
  beforeEach(async () => {
    world = await trailWorld(engine)
  })
  afterEach(() => world.drop())

  // Each is a read of verifying: of the table of chains, of a row, of a checkpoint.
  it.each(['chain', 'prunedText', 'seqText', 'requestId'])(
    'V16.4.2 finds nothing when a process ends or prunes behind its reading of %s',
    async (column) => {
      for (const disturb of ['close', 'prune'] as const) {
        const trail = world.open()
        await emitMany(trail, 1_100)
        const later = Date.now() + 60_000
        const prune = () =>
          pruneTrail(world.db, world.keys, { before: new Date(later - 1), nowMs: () => later })
        const { plugin, done } = after(column, disturb === 'close' ? () => trail.close() : prune, engine)
        expect((await verifyTrail(world.db.withPlugin(plugin), world.keys)).findings, disturb).toEqual([])
        await done()
        await trail.close()
        expect(await world.findings()).toEqual([])
      }
    },
  )

  it('V16.4.2 is verified and pruned while several write to it', async () => {
    const trails = [1, 2].map(() => world.open({ kind: 'server' }))
    let isWriting = true
    const write = trails.map(async (trail, number) => {
      for (let round = 0; round < 15; round += 1) {
        await emitMany(trail, 40, `user${number}`)
        await trail.transact(async (_, note) => note({ event: 'user_updated', userId: `user${number}` }))
      }
    })
    const findings: unknown[] = []
    const look = async () => {
      while (isWriting) {
        findings.push(...(await verifyTrail(world.db, world.keys)).findings)
        await pruneTrail(world.db, world.keys, { before: new Date(Date.now() - 300) })
      }
    }
    const looking = look()
    await Promise.all(write)
    isWriting = false
    await looking
    await Promise.all(trails.map((trail) => trail.close()))
    expect(findings).toEqual([])
    expect(world.failures).toEqual([])
    expect(await world.findings()).toEqual([])
  })

  it('V15.1.3 lets others have their turn while it is verified and pruned, though its chains are small', async () => {
    for (let number = 0; number < 30; number += 1) {
      const trail = world.open()
      await emitMany(trail, 1)
      await trail.close()
    }
    let turnCount = 0
    let isOver = false
    const turn = (): void => {
      turnCount += 1
      if (!isOver) setImmediate(turn)
    }
    setImmediate(turn)
    await verifyTrail(world.db, world.keys)
    expect(turnCount).toBeGreaterThan(20)
    turnCount = 0
    await pruneTrail(world.db, world.keys, { before: new Date('2020-01-01') })
    expect(turnCount).toBeGreaterThan(20)
    isOver = true
  })

  it('V16.4.2 does not remove what somebody has marked as pruned by hand', async () => {
    const trail = world.open()
    await emitMany(trail, 10)
    await trail.close()
    const other = world.open()
    await emitMany(other, 3)
    await world.disarm()
    // What is old is less than what was marked, so there is nothing to verify in that chain.
    const ids = (await world.rows()).filter(({ chain }) => chain === trail.chain).map(({ id }) => String(id))
    await world.db
      .updateTable(eventsTable)
      .set({ at: '2020-01-01T00:00:00.000Z' })
      .where('id', '=', ids[0] ?? '')
      .execute()
    await world.db.updateTable(chainsTable).set({ prunedSeq: 8 }).where('chain', '=', trail.chain).execute()
    for (const before of [new Date('2021-01-01'), new Date('2019-01-01')])
      await expect(pruneTrail(world.db, world.keys, { before })).rejects.toBeInstanceOf(PruneRefused)
    expect(await world.rows()).toHaveLength(13)
    await other.close()
  })

  it('V16.4.2 does not take a new row for one that a process has left behind', async () => {
    const clock = { nowMs: Date.now() }
    const silent = world.open()
    await emitMany(silent, 1)
    await silent.transact(async (_, note) => note({ event: 'user_created' }))
    const { ChainWriter } = await import('./chain-writer.ts')
    const writer = new ChainWriter(world.db, world.keys[0], () => clock.nowMs)
    const adopt = () =>
      writer.adopt(
        { after: '', before: new Date(clock.nowMs - 60_000).toISOString() },
        world.keys,
        () => false,
      )
    expect(await adopt()).toBe(0)
    expect((await verifyTrail(world.db, world.keys)).unsealedCount).toBeLessThan(2)
    clock.nowMs += 120_000
    // It is there to be taken up only if its own process has not come to it meanwhile.
    const takenCount = await adopt()
    await silent.close()
    expect(takenCount).toBeLessThan(2)
    expect(await verifyTrail(world.db, world.keys)).toMatchObject({ unsealedCount: 0, findings: [] })
  })
})
