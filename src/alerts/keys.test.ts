import { describe, expect, it } from 'vitest'
import { foundBy } from '../../test/kit/alert-receivers.ts'
import { keysOf } from './keys.ts'

const nobody = (): boolean => false

describe('keys of findings', () => {
  it('V16.3.3 are the subject, every address, and few accounts and sessions', () => {
    const finding = foundBy('refresh-replay', {
      subject: { by: 'session', value: 's1' },
      addresses: ['203.0.113.9', '::ffff:203.0.113.10', '2001:db8:1:2::7'],
      accounts: ['ann'],
      sessions: ['s1', 's2'],
    })
    expect(keysOf(finding, nobody)).toEqual({
      own: [
        'session:s1',
        'address:203.0.113.9',
        'address:203.0.113.10',
        'address:2001:db8:1:2::/64',
        'account:ann',
        'session:s2',
      ],
      also: ['network:203.0.113.0/24', 'network:2001:db8:1::/48'],
      everybody: 'detector:refresh-replay:everybody',
    })
  })

  it('V16.3.3 leave out accounts that are many: whom an attack hits does not say whose it is', () => {
    const finding = foundBy('password-spraying', {
      subject: { by: 'everybody', value: '' },
      addresses: ['203.0.113.9'],
      accounts: ['a', 'b', 'c', 'd'],
    })
    expect(keysOf(finding, nobody).own).toEqual([
      'detector:password-spraying:everybody',
      'address:203.0.113.9',
    ])
  })

  it('V16.3.3 of a proxy say nothing about another detector', () => {
    const isShared = (address: string): boolean => address === '10.0.0.1'
    const subject = { by: 'address', value: '10.0.0.1' } as const
    const finding = foundBy('forced-browsing', { subject, addresses: ['10.0.0.1'] })
    expect(keysOf(finding, isShared)).toMatchObject({
      own: ['detector:forced-browsing:address:10.0.0.1'],
      also: [],
    })
  })

  it('V16.3.3 of a network that is one address are those of the address', () => {
    const one = foundBy('x', { subject: { by: 'network', value: '203.0.113.9' } })
    const many = foundBy('x', { subject: { by: 'network', value: '2001:db8:1::/48' } })
    expect([keysOf(one, nobody).own, keysOf(many, nobody).own]).toEqual([
      ['address:203.0.113.9'],
      ['network:2001:db8:1::/48'],
    ])
  })

  it('V15.2.2 are short, and of fifty addresses at most', () => {
    const addresses = Array.from({ length: 300 }, (_, index) => `203.0.${index % 4}.${index % 250}`)
    const finding = foundBy('x', { subject: { by: 'account', value: 'x'.repeat(5_000) }, addresses })
    const { own } = keysOf(finding, nobody)
    expect(own.length).toBeLessThanOrEqual(51)
    expect(Math.max(...own.map((key) => key.length))).toBeLessThan(250)
  })
})
