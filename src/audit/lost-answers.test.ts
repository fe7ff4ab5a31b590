import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { emitMany, type TrailWorld, trailWorld } from '../../test/kit/audit.ts'
import { engineKinds } from '../../test/kit/databases.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import { ChainWriter } from './chain-writer.ts'
import { verifyTrail } from './index.ts'
import { rowOf } from './row.ts'

/** What becomes of the next transactions. */
type Fate = 'well' | 'lost answer' | 'late commit' | 'refused'

/** A database of which the answers get lost: a transaction is done, and whoever asked for it hears of an outage. */
function unreliable(db: MigrationDatabase) {
  const fates: Fate[] = []
  const late: (() => Promise<unknown>)[] = []
  const transaction = () => {
    const real = db.transaction()
    return {
      async execute<T>(work: (trx: MigrationDatabase) => Promise<T>): Promise<T> {
        const fate = fates.shift() ?? 'well'
        const outage = new Problem('UNAVAILABLE', 'the answer was lost')
        if (fate === 'refused') throw outage
        if (fate === 'late commit') {
          // It runs to its end, is taken back, and is done once more when the server gets to it.
          await expect(
            real.execute(async (trx) => {
              await work(trx)
              throw outage
            }),
          ).rejects.toBe(outage)
          late.push(() => db.transaction().execute(work))
          throw outage
        }
        const done = await real.execute(work)
        if (fate === 'lost answer') throw outage
        return done
      },
    }
  }
  const proxy = new Proxy(db, {
    get(target, name) {
      if (name === 'transaction') return transaction
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  return { db: proxy, fates, late }
}

describe.each(engineKinds)('a trail whose database loses answers, on %s', { timeout: 60_000 }, (engine) => {
  let world: TrailWorld
  beforeEach(async () => {
    world = await trailWorld(engine)
  })
  afterEach(() => world.drop())

  const reasons = async () => (await world.rows()).map(({ requestId }) => requestId)

  it('V16.5.2 writes what a batch held once, though its commit was not heard of', async () => {
    const { db, fates } = unreliable(world.db)
    const trail = world.open({ db })
    await emitMany(trail, 2)
    fates.push('lost answer', 'refused', 'lost answer')
    await emitMany(trail, 2)
    await emitMany(trail, 2)
    await trail.close()
    expect(await reasons()).toEqual(['r1', 'r2', 'r1', 'r2', 'r1', 'r2'])
    expect(await world.chains()).toHaveLength(1)
    expect(await world.findings()).toEqual([])
  })

  it('V16.5.2 knows its batch again when the commit comes after it was looked for', async () => {
    const { db, fates, late } = unreliable(world.db)
    const writer = new ChainWriter(db, world.keys[0], Date.now)
    const row = (number: number) =>
      rowOf({
        ...{ id: `id-${number}`, atMs: Date.now(), event: 'app_x', level: 'info', outcome: 'success' },
      })
    await writer.seal({ fresh: [row(1)], committed: [] })
    const batch = { fresh: [row(2), row(3)], committed: [] }
    fates.push('late commit', 'refused')
    const refused = { code: 'UNAVAILABLE' }
    await expect(writer.seal(batch)).rejects.toMatchObject(refused)
    // Looked for, and not there; then it comes.
    await expect(writer.seal(batch)).rejects.toMatchObject(refused)
    await late[0]?.()
    expect(await writer.seal(batch)).toMatchObject({ rowCount: 0, brokenChain: null })
    expect(await writer.seal({ fresh: [row(4)], committed: [] })).toMatchObject({ brokenChain: null })
    expect((await world.rows()).map(({ id, seq }) => [id, seq])).toEqual([
      ['id-1', 1],
      ['id-2', 2],
      ['id-3', 3],
      ['id-4', 4],
    ])
    expect((await verifyTrail(world.db, world.keys)).findings).toEqual([])
  })

  it('V16.5.2 does not take late rows whose commit was not heard of for what waits', async () => {
    const dead = world.open()
    await emitMany(dead, 1)
    await dead.transact(async (_, note) => note({ event: 'user_created', requestId: 'late' }))
    const { db, fates } = unreliable(world.db)
    const writer = new ChainWriter(db, world.keys[0], Date.now)
    fates.push('lost answer')
    const between = { after: '', before: '9' }
    await expect(writer.adopt(between, world.keys, () => false)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
    const row = rowOf({ id: 'waits', atMs: 1, event: 'app_x', level: 'info', outcome: 'success' })
    expect(await writer.seal({ fresh: [row], committed: [] })).toMatchObject({
      rowCount: 1,
      brokenChain: null,
    })
    expect((await world.rows()).map(({ id }) => id)).toContain('waits')
    await dead.close()
    expect((await verifyTrail(world.db, world.keys)).findings).toEqual([])
  })

  it('V16.4.2 signs heads again after late rows whose commit was not heard of', async () => {
    const dead = world.open()
    await dead.transact(async (_, note) => note({ event: 'user_created' }))
    const { db, fates } = unreliable(world.db)
    const writer = new ChainWriter(db, world.keys[0], Date.now)
    fates.push('lost answer')
    await expect(writer.adopt({ after: '', before: '9' }, world.keys, () => false)).rejects.toThrow()
    expect(await writer.close()).toMatchObject({ kind: 'closed', seq: 1 })
    await dead.close()
    expect((await verifyTrail(world.db, world.keys)).findings).toEqual([])
  })
})
