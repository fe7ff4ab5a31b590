import { describe, expect, it } from 'vitest'
import { argon2Floor } from '../crypto/index.ts'
import { calibrate } from './calibrate.ts'
import { passwordHashing } from './hashing.ts'

const password = 'violet anchors hum softly'

describe('hashing', () => {
  it('V6.3.8 does for an account that is not there what it does for one that is', async () => {
    const hashing = passwordHashing()
    const stored = await hashing.hash(password, 'a')
    expect(await hashing.verify(password, stored, 'a')).toEqual({ isRight: true, isOutdated: false })
    expect(await hashing.verify(`${password}!`, stored, 'a')).toEqual({ isRight: false, isOutdated: false })
    for (const text of [password, 'no password is this one', ''])
      expect(await hashing.verify(text, null, 'a')).toEqual({ isRight: false, isOutdated: false })
    hashing.close()
    await expect(hashing.hash(password, 'a')).rejects.toThrow('OVERLOADED')
  })

  it('V11.4.2 raises its cost, and calls what was hashed before outdated', async () => {
    const hashing = passwordHashing()
    const before = await hashing.hash(password, 'a')
    hashing.setCost({ ...argon2Floor, passCount: 3 })
    expect(await hashing.verify(password, before, 'a')).toEqual({ isRight: true, isOutdated: true })
    expect(await hashing.hash(password, 'a')).toContain('t=3')
    hashing.close()
  })

  it('V11.4.2 finds its cost before the first hash, once, and goes on without when that fails', async () => {
    const told: unknown[] = []
    let measuredCount = 0
    const measure = async (): Promise<typeof argon2Floor> => {
      measuredCount += 1
      if (measuredCount === 1) throw new RangeError('the database is away')
      return { ...argon2Floor, passCount: 3 }
    }
    const hashing = passwordHashing({ settle: { measure, onFailure: (error) => told.push(error) } })
    expect(measuredCount).toBe(0)
    expect(await hashing.hash(password, 'a')).toContain('t=2')
    expect(told).toHaveLength(1)
    expect(await hashing.hash(password, 'a')).toContain('t=3')
    await hashing.verify(password, null, 'a')
    expect(measuredCount).toBe(2)
    hashing.close()
  })

  it('V11.4.2 never goes below the floor, and stays in bounds', async () => {
    expect(await calibrate(0.01)).toEqual(argon2Floor)
    const most = await calibrate(1_000_000)
    expect(most).toEqual({ memoryKib: 65_536, passCount: 16, laneCount: 1 })
  })
})
