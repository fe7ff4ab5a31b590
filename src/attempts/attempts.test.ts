import { describe, expect, it } from 'vitest'
import { admitted, attemptsWorld, tried } from '../../test/kit/attempts.ts'
import { engineKinds } from '../../test/kit/databases.ts'
import { ceilingCount, delayAfterMs, freeCount, knownCeilingCount, longestFromCount } from './growth.ts'
import { attemptsTable } from './migration.ts'

const dayMs = 86_400_000
const hourMs = 3_600_000

describe('the delay after failures in a row', () => {
  it('V6.3.1 grows from a second to an hour', () => {
    const seconds = [0, 1, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 50, 89].map(
      (count) => delayAfterMs(count) / 1000,
    )
    expect(seconds).toEqual([0, 0, 0, 1, 2, 4, 8, 16, 32, 1024, 2048, 3600, 3600, 3600])
  })

  it('V6.1.1 leaves fewer than a hundred guesses in a row', () => {
    expect(ceilingCount + knownCeilingCount).toBeLessThan(100)
    expect(delayAfterMs(longestFromCount)).toBe(hourMs)
    expect(delayAfterMs(longestFromCount - 1)).toBeLessThan(hourMs)
  })
})

describe.each(engineKinds)('attempts on %s', (engine) => {
  it('V6.3.1 go free, then wait longer and longer, whoever the next one comes from', async () => {
    const { clock, attempts, drop } = await attemptsWorld(engine)
    for (let count = 1; count <= freeCount; count += 1)
      expect(await tried(attempts, 'ann'), `attempt ${count}`).toMatchObject({ failedBeforeCount: count - 1 })
    for (const waitSeconds of [1, 2, 4, 8, 16, 32, 64]) {
      expect(await tried(attempts, 'ann')).toBe(waitSeconds)
      clock.nowMs += waitSeconds * 1000 - 1
      expect(await tried(attempts, 'ann')).toBe(1)
      clock.nowMs += 1
      expect(await tried(attempts, 'ann')).not.toBeTypeOf('number')
    }
    expect(await tried(attempts, 'ben')).toMatchObject({ failedBeforeCount: 0 })
    await drop()
  })

  it('V6.1.1 switch the password off before the hundredth failure in a row, on every node and for good', async () => {
    const { db, clock, attempts, node, drop } = await attemptsWorld(engine)
    const last: boolean[] = []
    for (let count = 1; count <= ceilingCount; count += 1) {
      const attempt = await admitted(attempts, 'ann')
      last.push(attempt.isLast)
      clock.nowMs += hourMs
    }
    expect(last.indexOf(true)).toBe(ceilingCount - 1)
    clock.nowMs += 100 * dayMs
    await attempts.clean()
    // Nothing tells it from a long wait, nor an account from none.
    expect(await tried(attempts, 'ann')).toBe(3600)
    clock.nowMs += 2 * 365 * dayMs
    await attempts.clean()
    expect(await tried(node(), 'ann')).toBe(3600)
    await attempts.clear('ann', db)
    expect(await tried(node(), 'ann')).toMatchObject({ failedBeforeCount: 0 })
    await drop()
  })

  it('V2.3.4 let through as many of two hundred at once as they would one after the other', async () => {
    const { clock, attempts, node, drop } = await attemptsWorld(engine)
    const nodes = [attempts, node(), node()]
    const burst = () =>
      Promise.all(Array.from({ length: 200 }, (_, at) => tried(nodes[at % 3] ?? attempts, 'ann')))
    const all = await burst()
    expect(all.filter((one) => typeof one !== 'number')).toHaveLength(freeCount)
    expect(new Set(all.filter((one) => typeof one === 'number'))).toEqual(new Set([1]))
    clock.nowMs += 1_000
    expect((await burst()).filter((one) => typeof one !== 'number')).toHaveLength(1)
    await drop()
  })

  it('V6.3.1 end with the right password, and with a reset', async () => {
    const { db, clock, attempts, drop } = await attemptsWorld(engine)
    for (let count = 0; count < freeCount; count += 1) await tried(attempts, 'ann')
    clock.nowMs += 1_000
    const right = await admitted(attempts, 'ann')
    expect(right.failedBeforeCount).toBe(freeCount)
    await right.succeeded()
    expect(await tried(attempts, 'ann')).toMatchObject({ failedBeforeCount: 0 })
    for (let count = 1; count < freeCount; count += 1) await tried(attempts, 'ann')
    expect(await tried(attempts, 'ann')).toBe(1)
    await attempts.clear('ann', db)
    expect(await tried(attempts, 'ann')).toMatchObject({ failedBeforeCount: 0 })
    await drop()
  })

  it('V15.2.2 give a turn back where nothing was tried', async () => {
    const { attempts, drop } = await attemptsWorld(engine)
    for (let count = 0; count < 3 * freeCount; count += 1) {
      await (await admitted(attempts, 'ann')).abandoned()
    }
    expect(await tried(attempts, 'ann')).toMatchObject({ failedBeforeCount: 0 })
    await drop()
  })

  it('V15.2.2 that are given back do not end the wait that a later one has begun', async () => {
    const { clock, attempts, drop } = await attemptsWorld(engine)
    const first = await admitted(attempts, 'ann')
    for (let count = 1; count < 12; count += 1) {
      clock.nowMs += hourMs
      await admitted(attempts, 'ann')
    }
    expect(await tried(attempts, 'ann')).toBe(128)
    await first.abandoned()
    expect(await tried(attempts, 'ann')).toBe(128)
    clock.nowMs += 128_000
    expect(await tried(attempts, 'ann')).toMatchObject({ failedBeforeCount: 11 })
    await drop()
  })

  it('V14.2.2 lie in a table that tells no address, and are forgotten in time', async () => {
    const { db, clock, attempts, drop } = await attemptsWorld(engine)
    const counts = async () =>
      await db.selectFrom(attemptsTable).select('failedCount').orderBy('failedCount').execute()
    await tried(attempts, 'ann@example.com')
    for (let count = 0; count < 12; count += 1) {
      await tried(attempts, 'ben@example.com')
      clock.nowMs += hourMs
    }
    const table = JSON.stringify(await db.selectFrom(attemptsTable).selectAll().execute())
    expect(table).not.toMatch(/ann|example/)
    // Not soon: nine guesses each month would be more than a hundred in a row within the year.
    clock.nowMs += 390 * dayMs
    await attempts.clean()
    expect(await counts()).toEqual([{ failedCount: 1 }, { failedCount: 12 }])
    clock.nowMs += 11 * dayMs
    await attempts.clean()
    expect(await counts()).toEqual([])
    await drop()
  })

  it('V2.4.1 on names at random keep to a number of rows, and free no account under attack', async () => {
    const { db, clock, attempts, drop } = await attemptsWorld(engine, 100)
    for (let count = 0; count < 12; count += 1) {
      clock.nowMs += hourMs
      await admitted(attempts, 'ann')
    }
    clock.nowMs += 100_000
    const rowCount = async () => (await db.selectFrom(attemptsTable).select('key').execute()).length
    for (let index = 0; index < 650; index += 1) await admitted(attempts, `nobody-${index}`)
    // It cleans up by itself now and then.
    expect(await rowCount()).toBeLessThan(400)
    await attempts.clean()
    expect(await rowCount()).toBe(100)
    expect(await tried(attempts, 'ann')).toBe(28)
    clock.nowMs += 28_000
    expect(await tried(attempts, 'ann')).toMatchObject({ failedBeforeCount: 12 })
    await drop()
  })

  it('V6.3.8 wait alike whether there is an account or not', async () => {
    const { attempts, clock, drop } = await attemptsWorld(engine)
    // No part of it is told which is which: what it is not given it cannot show.
    for (let count = 0; count < 20; count += 1) {
      const [one, other] = [await tried(attempts, 'ann'), await tried(attempts, '\u0000 no address at all')]
      expect(typeof one === 'number' ? one : one.failedBeforeCount).toEqual(
        typeof other === 'number' ? other : other.failedBeforeCount,
      )
      clock.nowMs += 700
    }
    await drop()
  })
})
