import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normaliseAddress } from '../base/index.ts'
import { ipv4Word, readIpv6 } from './address-words.ts'
import { BanFault, type BanFaultKind, type BanTarget } from './ban.ts'
import { choiceOf } from './bans.ts'
import { neverBanned } from './never-banned.ts'
import { contains, overlaps, parseRange, rangeOfAddress, textOf } from './range.ts'
import { parseTarget, requireBannable } from './target.ts'

function faultOf(run: () => unknown): BanFaultKind | 'none' {
  try {
    run()
    return 'none'
  } catch (error) {
    if (error instanceof BanFault) return error.kind
    throw error
  }
}

const banned: readonly (readonly [BanTarget, string, string])[] = [
  [{ address: '203.0.113.9' }, 'address', '203.0.113.9'],
  [{ address: '255.255.255.255' }, 'address', '255.255.255.255'],
  [{ address: '::ffff:203.0.113.9' }, 'address', '203.0.113.9'],
  [{ address: '::FFFF:cb00:7109' }, 'address', '203.0.113.9'],
  [{ address: '2001:DB8::7' }, 'address', '2001:db8::/64'],
  [{ address: '2001:db8:0:0:ffff:ffff:ffff:ffff' }, 'address', '2001:db8::/64'],
  [{ address: '[2001:db8:1:2::7]' }, 'address', '2001:db8:1:2::/64'],
  [{ address: 'fe80::1%eth0' }, 'address', 'fe80::/64'],
  [{ range: '203.0.113.9/24' }, 'range', '203.0.113.0/24'],
  [{ range: '203.0.113.9/32' }, 'address', '203.0.113.9'],
  [{ range: '128.0.0.0/8' }, 'range', '128.0.0.0/8'],
  [{ range: '::ffff:203.0.113.9/120' }, 'range', '203.0.113.0/24'],
  [{ range: '2001:db8:1:2::/48' }, 'range', '2001:db8:1::/48'],
  [{ range: '2001:db8::/64' }, 'address', '2001:db8::/64'],
  [{ range: '2001:e000::/19' }, 'range', '2001:e000::/19'],
  [{ account: 'ann' }, 'account', 'ann'],
]

const refused: readonly (readonly [BanTarget | Record<string, unknown>, BanFaultKind])[] = [
  [{ range: '0.0.0.0/0' }, 'too-wide'],
  [{ range: '10.0.0.0/7' }, 'too-wide'],
  [{ range: '::/0' }, 'too-wide'],
  [{ range: '2000::/18' }, 'too-wide'],
  [{ address: '64:ff9b::c000:201' }, 'too-wide'],
  [{ range: '64:ff9b::/64' }, 'too-wide'],
  [{ range: '64:ff00::/24' }, 'too-wide'],
  [{ range: '2001:db8::/65' }, 'unfit'],
  [{ range: '2001:db8::1' }, 'unfit'],
  [{ address: '203.0.113.0/24' }, 'unfit'],
  ...['', ' ', '203.0.113', '203.0.113.256', '203.0.113.09', '0x7f.1', '2130706433', '203.0.113.9 '].map(
    (address) => [{ address }, 'unfit'] as const,
  ),
  ...['1::2::3', ':::', '12345::', 'g::1', '1:2:3:4:5:6:7:8:9', '::1.2.3', "1' or '1'='1"].map(
    (address) => [{ address }, 'unfit'] as const,
  ),
  ...['1.2.3.4/', '1.2.3.4/33', '1.2.3.4/08', '1.2.3.4/-1', '1.2.3.4/8/8', '/8', '::/129', '1.2.3.4/1e1'].map(
    (range) => [{ range }, 'unfit'] as const,
  ),
  ...['', 'a\nb', 'a\u001b[31m', 'a\u202eb', 'x'.repeat(201), '\ud800'].map(
    (account) => [{ account }, 'unfit'] as const,
  ),
  [{}, 'unfit'],
  [{ address: '203.0.113.9', account: 'ann' }, 'unfit'],
]

describe('the target of a ban', () => {
  for (const [given, kind, target] of banned)
    it(`V2.2.1 ${JSON.stringify(given)} is the ${kind} ${target}`, () => {
      expect(parseTarget(given)).toMatchObject({ kind, target })
    })

  it('V2.2.1 V1.3.3 is refused when it cannot be understood, is too wide, or steers a terminal', () => {
    for (const [given, kind] of refused) {
      const order = { address: undefined, ...given }
      expect(
        faultOf(() => Reflect.apply(parseTarget, undefined, [order])),
        JSON.stringify(given),
      ).toBe(kind)
    }
    for (const value of [7, null, {}, ['203.0.113.9']])
      expect(faultOf(() => Reflect.apply(parseTarget, undefined, [{ address: value }]))).toBe('unfit')
  })

  it('V2.2.1 refuses whatever is thrown at it, and never breaks', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.ipV6(), fc.ipV4()), (text) => {
        for (const given of [{ address: text }, { range: text }, { account: text }])
          expect(['none', 'unfit', 'too-wide']).toContain(faultOf(() => parseTarget(given)))
      }),
    )
  })

  it('on a command line is an id, an address or a range', () => {
    const id = '0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e4f'
    expect([id, '203.0.113.9', '2001:db8::/48'].map(choiceOf)).toEqual([
      { id },
      { address: '203.0.113.9' },
      { range: '2001:db8::/48' },
    ])
    expect(faultOf(() => choiceOf('ann'))).toBe('unfit')
  })
})

describe('an address in bits', () => {
  it('V1.4.2 is the address again in text', () => {
    const words = new Int32Array(4)
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = normaliseAddress(text) ?? ''
        const range = rangeOfAddress(text)
        expect(range && textOf(range)).toBe(address)
        expect(ipv4Word(address) !== undefined || readIpv6(address, words)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is none of what only looks like one', () => {
    const words = new Int32Array(4)
    for (const text of [
      'unknown',
      '',
      '1.2.3',
      '1.2.3.4.5',
      '1..2.3',
      '1.2.3.',
      '.1.2.3',
      '256.1.1.1',
      '1.2.3.a',
    ])
      expect([ipv4Word(text), readIpv6(text, words)], text).toEqual([undefined, false])
    for (const text of [
      '1:2',
      '1:2:3:4:5:6:7:8:',
      ':1::',
      '1:::2',
      '1::2::3',
      '::1.2.3',
      '1:2:3:4:5:6:7:1.2.3.4',
      '12345::',
    ])
      expect(readIpv6(text, words), text).toBe(false)
  })

  it('is in exactly the ranges that begin like it', () => {
    const range = (text: string) => parseRange(text) ?? { family: 4 as const, prefixBits: 32, words: [0] }
    expect(contains(range('10.0.0.0/8'), range('10.255.255.255'))).toBe(true)
    expect(contains(range('10.0.0.0/8'), range('11.0.0.0'))).toBe(false)
    expect(contains(range('10.0.0.0/8'), range('10.0.0.0/7'))).toBe(false)
    expect(contains(range('0.0.0.0/0'), range('255.1.2.3'))).toBe(true)
    expect(contains(range('2001:db8::/33'), range('2001:db8:7fff::'))).toBe(true)
    expect(contains(range('2001:db8::/33'), range('2001:db8:8000::'))).toBe(false)
    expect(contains(range('2001:db8::1'), range('2001:db8::1'))).toBe(true)
    expect(contains(range('2001:db8::/127'), range('2001:db8::2'))).toBe(false)
    expect(overlaps(range('10.1.0.0/16'), range('10.0.0.0/8'))).toBe(true)
    expect(overlaps(range('10.1.0.0/16'), range('10.2.0.0/16'))).toBe(false)
    expect(overlaps(range('::/0'), range('1.2.3.4'))).toBe(false)
  })
})

describe('who cannot be banned', () => {
  const never = neverBanned(['10.0.0.0/24', '2001:db8:aaaa::1'], ['198.51.100.0/25', '2001:db8:bbbb::5'])
  const ban = (given: BanTarget) => () => requireBannable(parseTarget(given), never)

  it('V15.3.4 a trusted proxy is refused by whatever contains it or is in it, and named', () => {
    for (const given of [
      { address: '10.0.0.7' },
      { address: '::ffff:10.0.0.7' },
      { range: '10.0.0.0/25' },
      { range: '10.0.0.0/8' },
      // The neighbour of a proxy: the ban would be one of their /64.
      { address: '2001:db8:aaaa::2' },
      { range: '2001:db8::/32' },
    ])
      expect(faultOf(ban(given)), JSON.stringify(given)).toBe('trusted-proxy')
    expect(ban({ address: '10.0.0.7' })).toThrow(/trusted proxy 10\.0\.0\.0\/24 \(TRUSTED_PROXIES\)/)
    expect(faultOf(ban({ address: '10.0.1.0' }))).toBe('none')
  })

  it('V8.2.4 the allow list is refused as a whole or in part; a range around it is not', () => {
    for (const given of [
      { address: '198.51.100.127' },
      { range: '198.51.100.0/25' },
      { range: '198.51.100.64/26' },
      { address: '2001:db8:bbbb::5' },
    ])
      expect(faultOf(ban(given)), JSON.stringify(given)).toBe('never-banned')
    expect(ban({ address: '198.51.100.1' })).toThrow(/198\.51\.100\.0\/25, which NEVER_BANNED protects/)
    for (const given of [
      { address: '198.51.100.128' },
      { range: '198.51.100.0/24' },
      { address: '2001:db8:bbbb::6' },
      { account: '198.51.100.1' },
    ])
      expect(faultOf(ban(given)), JSON.stringify(given)).toBe('none')
  })
})
