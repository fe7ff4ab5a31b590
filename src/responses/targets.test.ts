import { describe, expect, it } from 'vitest'
import type { Finding, FindingSubject } from '../detection/index.ts'
import { type HeldResponse, heldResponses } from './response.ts'
import { addressKeyOf, targetSpelling, targetsOf } from './targets.ts'

function targets(response: HeldResponse, by: FindingSubject['by'], given: Partial<Finding> = {}): string[] {
  const values = {
    address: '203.0.113.9',
    network: '2001:db8:1::/48',
    account: 'ann',
    session: 's-9',
    everybody: '',
  }
  const finding: Finding = {
    ...{ detector: 'scanner', points: ['RE1'], event: 'attack_detected', level: 'critical', summary: 'seen' },
    ...{ subject: { by, value: values[by] }, count: 20, windowMs: 60_000, firstMs: 0, lastMs: 1, routes: [] },
    ...{ addresses: ['192.0.2.1', '192.0.2.2'], accounts: ['bob', 'eve'], sessions: ['s-1', 's-2'] },
    responses: [response],
    ...given,
  }
  return targetsOf(response, finding, 20).map(({ targetKind, target }) => `${targetKind} ${target}`)
}

const addresses = ['address 192.0.2.2', 'address 192.0.2.1']
const accounts = ['account eve', 'account bob']
const sessions = ['session s-2', 'session s-1']

describe('the targets of a response', () => {
  it.each<[HeldResponse, FindingSubject['by'], readonly string[]]>([
    ['ban-address', 'address', ['address 203.0.113.9']],
    ['ban-address', 'network', addresses],
    ['ban-address', 'account', addresses],
    ['ban-address', 'everybody', addresses],
    ['slow-down', 'address', ['address 203.0.113.9']],
    ['slow-down', 'network', addresses],
    ['slow-down', 'account', ['account ann']],
    ['slow-down', 'everybody', addresses],
    ['step-up', 'address', accounts],
    ['step-up', 'account', ['account ann']],
    ['step-up', 'session', ['session s-9']],
    ['revoke-sessions', 'address', sessions],
    ['revoke-sessions', 'account', ['account ann']],
    ['revoke-sessions', 'session', ['session s-9']],
  ])('of %s for a finding by %s are %j', (response, by, expected) => {
    expect(targets(response, by)).toEqual(expected)
  })

  it('V6.3.1 lock nobody but the account that was counted: an address that tries fifty people locks none', () => {
    for (const by of ['address', 'network', 'everybody'] as const)
      expect(targets('lock-account', by)).toEqual([])
    expect(targets('lock-account', 'account')).toEqual(['account ann'])
    expect(targets('lock-account', 'session')).toEqual([])
    expect(targets('lock-account', 'session', { accounts: ['bob'] })).toEqual(['account bob'])
  })

  it('V15.2.2 are at most so many, each once', () => {
    const many = Array.from({ length: 50 }, (_, host) => `192.0.2.${host}`)
    expect(targets('ban-address', 'everybody', { addresses: many })).toHaveLength(20)
    const same = ['2001:db8::1', '2001:db8::2', '2001:db8:0:0::/64', '[2001:DB8::3]', '2001:db8::4%eth0']
    expect(targets('ban-address', 'everybody', { addresses: same })).toEqual(['address 2001:db8::/64'])
    expect(targets('ban-address', 'everybody', { addresses: ['::ffff:192.0.2.1'] })).toEqual([
      'address 192.0.2.1',
    ])
  })

  it('V1.2.1 are none where nothing is an address or an id', () => {
    const hostile = ['', ' ', 'a\nb', '\ud800', 'x'.repeat(201), 'a\u202eb', ' padded']
    const given = { addresses: hostile, accounts: hostile, sessions: hostile }
    for (const response of heldResponses) expect(targets(response, 'everybody', given), response).toEqual([])
  })

  it('have one spelling, and one key in memory', () => {
    expect(targetSpelling('2001:DB8:0:0:1::9')).toBe('2001:db8::/64')
    expect(targetSpelling('ann')).toBe('ann')
    expect(['203.0.113.9', '2001:db8::/64', 'ann'].map(addressKeyOf)).toEqual([
      '203.0.113.9',
      '2001:db8:0:0::/64',
      undefined,
    ])
  })
})
