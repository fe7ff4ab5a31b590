import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressKey, addressKeys, networkKey, normaliseAddress } from './index.ts'

const spellings = fc.oneof(
  fc.ipV4(),
  fc.ipV4Extended(),
  fc.ipV6(),
  fc.ipV6().map((address) => address.toUpperCase()),
  fc.ipV4().map((address) => `::ffff:${address}`),
  fc.constantFrom(
    '',
    'unknown',
    '127.0.0.1:80',
    '[::1]',
    'fe80::1%eth0',
    '__proto__',
    'constructor',
    'x'.repeat(20_000),
  ),
)

describe('V2.4.1 the remembered keys of an address', () => {
  it('are those that are made of it anew, for any spelling, the first time and later', () => {
    fc.assert(
      fc.property(spellings, (text) => {
        const address = normaliseAddress(text) ?? ''
        const made = { address: addressKey(address), network: networkKey(address) }
        expect(addressKeys(text)).toEqual(made)
        expect(addressKeys(text)).toEqual(made)
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::ffff'],
    ['2001:db8::', '2001:0db8:0000::9'],
  ])('give no spelling a bucket of its own: %s', (one, other) => {
    expect(addressKeys(one).address).toBe(addressKeys(other).address)
  })
})
