import { describe, expect, it } from 'vitest'
import { admitted, attemptsWorld, tried } from '../../test/kit/attempts.ts'
import { engineKinds } from '../../test/kit/databases.ts'
import { ceilingCount, deviceCeilingCount, freeCount, knownCeilingCount } from './growth.ts'

const dayMs = 86_400_000
const hourMs = 3_600_000
const quarterMs = 900_000

describe.each(engineKinds)('attempts on %s on a device that the account knows', (engine) => {
  it('V6.1.1 go on while strangers have switched the password off', async () => {
    const { clock, attempts, devices, drop } = await attemptsWorld(engine)
    const { value } = devices.issue('ann')
    for (let count = 0; count < ceilingCount; count += 1) {
      await admitted(attempts, 'ann')
      clock.nowMs += hourMs
    }
    expect(await tried(attempts, 'ann')).toBe(3600)
    expect(await tried(attempts, 'ann', { device: value })).toMatchObject({ failedBeforeCount: 0 })
    // The cookie of another account and one that was made up are none.
    const others = devices.issue('ben').value
    for (const device of [others, `${value}x`, value.slice(0, -1), 'x', '', `${value.split('.')[0]}.99999.x`])
      expect(await tried(attempts, 'ann', { device })).toBe(3600)
    clock.nowMs += 180 * dayMs
    expect(await tried(attempts, 'ann', { device: value })).toBe(3600)
    await drop()
  })

  it('V6.1.1 go on while a stranger behind the same address has used its limit up', async () => {
    const { attempts, devices, drop } = await attemptsWorld(engine)
    const { value: device } = devices.issue('ann')
    const address = '192.0.2.1'
    for (let index = 0; index < 100; index += 1) await admitted(attempts, `nobody-${index}`, { address })
    expect(await tried(attempts, 'ann', { address })).toBeTypeOf('number')
    expect(await tried(attempts, 'ann', { address, device })).toMatchObject({ failedBeforeCount: 0 })
    await drop()
  })

  it('V6.1.1 have a limit of their own, and then the device counts as unknown until somebody logs in on it', async () => {
    const { clock, attempts, devices, drop } = await attemptsWorld(engine)
    const { value: device } = devices.issue('ann')
    for (let count = 0; count < freeCount; count += 1) await admitted(attempts, 'ann', { device })
    expect(await tried(attempts, 'ann', { device })).toBe(1)
    for (let count = freeCount; count < deviceCeilingCount; count += 1) {
      clock.nowMs += hourMs
      expect(await tried(attempts, 'ann', { device })).toMatchObject({
        failedBeforeCount: count,
        isLast: false,
      })
    }
    clock.nowMs += hourMs
    const [first, ...more] = [await admitted(attempts, 'ann', { device }), await admitted(attempts, 'ann')]
    expect([first, ...more].map(({ failedBeforeCount }) => failedBeforeCount)).toEqual([0, 1])
    await first?.succeeded()
    for (let count = 0; count < freeCount; count += 1) {
      expect(await tried(attempts, 'ann')).toMatchObject({ failedBeforeCount: count })
      expect(await tried(attempts, 'ann', { device })).toMatchObject({ failedBeforeCount: count })
    }
    await drop()
  })

  it('V6.1.1 do not make another device wait, and are with all of them fewer than a hundred in a row', async () => {
    const { clock, attempts, devices, node, drop } = await attemptsWorld(engine)
    const stolen = Array.from({ length: 5 }, () => devices.issue('ann').value)
    let onKnown = 0
    let inAll = 0
    for (let count = 0; count < 80; count += 1) {
      clock.nowMs += hourMs
      for (const device of stolen) {
        const attempt = await tried(count % 2 === 0 ? attempts : node(), 'ann', { device })
        if (typeof attempt !== 'number') inAll += 1
        if (typeof attempt !== 'number' && inAll <= knownCeilingCount) onKnown += 1
      }
    }
    expect(onKnown).toBe(knownCeilingCount)
    expect(inAll).toBe(knownCeilingCount + ceilingCount)
    await drop()
  })

  it('V2.3.4 let through as many of two hundred at once as they would one after the other', async () => {
    const { clock, attempts, devices, node, drop } = await attemptsWorld(engine)
    const { value: device } = devices.issue('ann')
    // Nodes enough that none of their own limits stands in the way.
    const nodes = Array.from({ length: 10 }, node)
    const all = await Promise.all(
      Array.from({ length: 200 }, (_, at) => tried(nodes[at % 10] ?? attempts, 'ann', { device })),
    )
    expect(all.filter((one) => typeof one !== 'number')).toHaveLength(freeCount)
    // Sixty at once on twelve devices: whatever comes first, they share what all devices have.
    clock.nowMs += quarterMs
    const cookies = Array.from({ length: 12 }, () => devices.issue('ben').value)
    const spread = await Promise.all(
      cookies.flatMap((cookie) => nodes.slice(0, 5).map((one) => tried(one, 'ben', { device: cookie }))),
    )
    expect(spread.filter((one) => typeof one !== 'number')).toHaveLength(knownCeilingCount + freeCount)
    await drop()
  })

  it('V6.3.1 do not give strangers a fresh start when they succeed, but end with a reset', async () => {
    const { db, clock, attempts, devices, drop } = await attemptsWorld(engine)
    const { value: device } = devices.issue('ann')
    for (let count = 0; count < freeCount; count += 1) await admitted(attempts, 'ann')
    await admitted(attempts, 'ann', { device })
    const right = await admitted(attempts, 'ann', { device })
    expect(right.failedBeforeCount).toBe(1)
    await right.succeeded()
    expect(await tried(attempts, 'ann', { device })).toMatchObject({ failedBeforeCount: 0 })
    expect(await tried(attempts, 'ann')).toBe(1)
    for (const cookie of [1, 2, 3, 4, 5, 6].map(() => devices.issue('ann').value))
      for (let count = 0; count < freeCount; count += 1) await tried(attempts, 'ann', { device: cookie })
    clock.nowMs += 1_000
    expect(await tried(attempts, 'ann', { device })).toMatchObject({ failedBeforeCount: freeCount })
    await attempts.clear('ann', db)
    expect(await tried(attempts, 'ann', { device })).toMatchObject({ failedBeforeCount: 1 })
    await drop()
  })

  it('V15.2.2 give their turn back where nothing was tried', async () => {
    const { clock, attempts, devices, drop } = await attemptsWorld(engine)
    const { value: device } = devices.issue('ann')
    for (let count = 0; count < 2 * knownCeilingCount; count += 1) {
      const attempt = await admitted(attempts, 'ann', { device })
      expect(attempt.failedBeforeCount).toBe(0)
      await attempt.abandoned()
      clock.nowMs += 30_000
    }
    await drop()
  })

  it('V2.4.1 keep the server hashing for nobody, not even with the right password', async () => {
    const { attempts, devices, drop } = await attemptsWorld(engine)
    const { value: device } = devices.issue('ann')
    for (let count = 0; count < 30; count += 1)
      await (await admitted(attempts, 'ann', { device })).succeeded()
    expect(await tried(attempts, 'ann', { device })).toBe(30)
    await drop()
  })
})
