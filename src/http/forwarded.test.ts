import { describe, expect, it } from 'vitest'
import { cidrFault, clientAddressOf, isForwardedSecure, trustOf } from './forwarded.ts'

describe('clientAddressOf', () => {
  const isTrusted = trustOf(['10.0.0.0/8', '192.0.2.1', 'fd00::/8'])
  const cases = [
    { name: 'no field', peer: '10.0.0.1', field: undefined, want: '10.0.0.1' },
    { name: 'untrusted peer', peer: '203.0.113.7', field: '198.51.100.1', want: '203.0.113.7' },
    { name: 'trusted peer', peer: '10.0.0.1', field: '198.51.100.1', want: '198.51.100.1' },
    {
      name: 'trusted peer in IPv6 clothes',
      peer: '::ffff:10.0.0.1',
      field: '198.51.100.1',
      want: '198.51.100.1',
    },
    {
      name: 'forged hops to the left',
      peer: '10.0.0.1',
      field: '1.1.1.1, 198.51.100.1',
      want: '198.51.100.1',
    },
    {
      name: 'two proxies',
      peer: '10.0.0.1',
      field: '1.1.1.1, 198.51.100.1, 192.0.2.1',
      want: '198.51.100.1',
    },
    { name: 'forged trusted hop', peer: '10.0.0.1', field: '10.9.9.9, 198.51.100.1', want: '198.51.100.1' },
    { name: 'proxies only', peer: '10.0.0.1', field: '10.0.0.3, 10.0.0.2', want: '10.0.0.3' },
    { name: 'a port', peer: '10.0.0.1', field: '198.51.100.1:4711', want: '198.51.100.1' },
    { name: 'IPv6 with a port', peer: 'fd00::1', field: '[2001:DB8::1]:4711', want: '2001:db8::1' },
    { name: 'garbage', peer: '10.0.0.1', field: "1.1.1.1, ' OR 1=1", want: '10.0.0.1' },
    { name: 'an empty hop', peer: '10.0.0.1', field: '198.51.100.1,', want: '10.0.0.1' },
    { name: 'no peer', peer: undefined, field: '198.51.100.1', want: 'unknown' },
  ]
  for (const { name, peer, field, want } of cases) {
    it(`V4.1.3 ${name}: ${want}`, () => {
      expect(clientAddressOf(peer, field, isTrusted)).toBe(want)
    })
  }

  it('V4.1.3 reads a bounded number of hops', () => {
    const field = `198.51.100.1, ${Array(40).fill('10.0.0.2').join(', ')}`
    expect(clientAddressOf('10.0.0.1', field, isTrusted)).toBe('10.0.0.2')
  })

  it('V4.1.3 takes the word of a trusted proxy for TLS, and only its last one', () => {
    expect(isForwardedSecure('10.0.0.1', 'https', isTrusted)).toBe(true)
    expect(isForwardedSecure('203.0.113.7', 'https', isTrusted)).toBe(false)
    expect(isForwardedSecure('10.0.0.1', 'https, http', isTrusted)).toBe(false)
    expect(isForwardedSecure('10.0.0.1', 'HTTPS', isTrusted)).toBe(false)
    expect(isForwardedSecure('10.0.0.1', undefined, isTrusted)).toBe(false)
  })
})

describe('cidrFault', () => {
  it('V4.1.3 accepts addresses and ranges and refuses what would trust everybody', () => {
    for (const good of ['10.0.0.0/8', '192.0.2.1', 'fd00::/8', '::1']) expect(cidrFault(good)).toBeUndefined()
    for (const bad of [
      '',
      'proxy',
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.0/8x',
      '0.0.0.0/0',
      '::/0',
      '*',
      'true',
    ]) {
      expect(cidrFault(bad)).toBeTypeOf('string')
    }
  })
})
