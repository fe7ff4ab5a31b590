import { describe, expect, it } from 'vitest'
import { addressKey, normaliseAddress } from './address.ts'

describe('normaliseAddress', () => {
  const cases = [
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::', '::'],
    ['010.0.0.1', undefined],
    ['1.2.3', undefined],
    ['0x7f000001', undefined],
    ['2130706433', undefined],
    ['::1::', undefined],
    ['localhost', undefined],
    ['', undefined],
    ['1.2.3.4\n', undefined],
  ] as const
  for (const [text, want] of cases) {
    it(`V15.3.4 reads ${JSON.stringify(text)} as ${want}`, () => {
      expect(normaliseAddress(text)).toBe(want)
    })
  }
})

describe('addressKey', () => {
  const cases = [
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::ffff:1', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['unknown', 'unknown'],
  ] as const
  for (const [address, want] of cases) {
    it(`V2.4.1 counts ${address} under ${want}`, () => {
      expect(addressKey(address)).toBe(want)
    })
  }
})
