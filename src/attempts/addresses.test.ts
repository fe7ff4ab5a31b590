import { describe, expect, it } from 'vitest'
import { admitted, attemptsWorld, tried } from '../../test/kit/attempts.ts'

// By address nothing is in the database: one engine says what both do.
const engine = 'sqlite'

/** How many of so many attempts, each on another account, are let through. */
async function admittedOf(attemptCount: number, addressOf: (index: number) => string): Promise<number> {
  const { attempts, drop } = await attemptsWorld(engine)
  let admittedCount = 0
  for (let index = 0; index < attemptCount; index += 1)
    if (typeof (await tried(attempts, `nobody-${index}`, { address: addressOf(index) })) !== 'number')
      admittedCount += 1
  await drop()
  return admittedCount
}

describe('attempts over all accounts', () => {
  it('V6.3.1 have a limit for each address', async () => {
    expect(await admittedOf(150, () => '192.0.2.1')).toBe(100)
    expect(await admittedOf(150, (index) => `192.0.2.${index}`)).toBe(150)
  })

  it('V6.3.1 share the limit of a /64, which one customer has whole (CVE-2026-45364)', async () => {
    expect(await admittedOf(150, (index) => `2001:db8:1:2:${index.toString(16)}::1`)).toBe(100)
    expect(await admittedOf(150, (index) => `2001:db8:1:${index.toString(16)}::1`)).toBe(150)
  })

  it('V6.3.1 share a wider limit in a /48, which one customer may have', async () => {
    expect(await admittedOf(1_100, (index) => `2001:db8:1:${index.toString(16)}::1`)).toBe(1_000)
    expect(await admittedOf(1_100, (index) => `2001:db8:${index.toString(16)}::1`)).toBe(1_100)
  })

  it('V6.3.1 count each spelling of an address as the one that it is', async () => {
    const spellings = [
      '2001:db8::1',
      '2001:DB8::1',
      '2001:0db8:0000:0000:0000:0000:0000:0001',
      '2001:db8:0:0:0:0:0:1',
      '[2001:db8::1]',
      '2001:db8::1%eth0',
      '2001:db8::0.0.0.1',
    ]
    expect(await admittedOf(150, (index) => spellings[index % spellings.length] ?? '')).toBe(100)
    // An IPv4 address in IPv6 clothes is itself, and others in them are others (CVE-2026-30827).
    const mapped = [
      '192.0.2.1',
      '::ffff:192.0.2.1',
      '::FFFF:192.0.2.1',
      '::ffff:c000:201',
      '0:0:0:0:0:ffff:192.0.2.1',
    ]
    expect(await admittedOf(150, (index) => mapped[index % mapped.length] ?? '')).toBe(100)
    expect(await admittedOf(150, (index) => `::ffff:192.0.2.${index}`)).toBe(150)
    // What is no address is one client, rather than as many as it likes.
    expect(await admittedOf(150, (index) => `nowhere-${index}`)).toBe(100)
  })

  it('V6.3.1 are not forgotten with the right password: one account is no key to the others', async () => {
    const { attempts, clock, drop } = await attemptsWorld(engine)
    const address = '192.0.2.1'
    for (let round = 0; round < 10; round += 1) {
      for (let index = 0; index < 9; index += 1) await admitted(attempts, `n${round}-${index}`, { address })
      await (await admitted(attempts, 'own', { address })).succeeded()
    }
    expect(await tried(attempts, 'ann', { address })).toBe(9)
    clock.nowMs += 9_000
    expect(await tried(attempts, 'ann', { address })).toMatchObject({ failedBeforeCount: 0 })
    await drop()
  })

  it('V2.4.1 of one address on one account are few even when each is right', async () => {
    const { attempts, drop } = await attemptsWorld(engine)
    const address = '192.0.2.1'
    for (let count = 0; count < 30; count += 1)
      await (await admitted(attempts, 'ann', { address })).succeeded()
    expect(await tried(attempts, 'ann', { address })).toBe(30)
    expect(await tried(attempts, 'ann')).toMatchObject({ failedBeforeCount: 0 })
    expect(await tried(attempts, 'ben', { address })).toMatchObject({ failedBeforeCount: 0 })
    await drop()
  })

  it('V6.3.1 that one limit refuses take from none', async () => {
    const { attempts, drop } = await attemptsWorld(engine)
    const address = '192.0.2.1'
    for (let count = 0; count < 30; count += 1)
      await (await admitted(attempts, 'ann', { address })).succeeded()
    for (let count = 0; count < 500; count += 1) expect(await tried(attempts, 'ann', { address })).toBe(30)
    for (let index = 0; index < 70; index += 1) await admitted(attempts, `nobody-${index}`, { address })
    expect(await tried(attempts, 'ben', { address })).toBe(9)
    await drop()
  })
})
