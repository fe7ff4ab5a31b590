import { describe, expect, it } from 'vitest'
import type { BanActions, ResponseTransaction } from '../responses/index.ts'
import { sparingProxies } from './bans.ts'

describe('automatic bans', () => {
  const banned: unknown[] = []
  const actions: BanActions = {
    isProtected: () => false,
    ban: async (_tx, target) => {
      banned.push(target)
      return 'id'
    },
    lift: async () => true,
  }
  const tx: ResponseTransaction = Object.create(null)
  const terms = { detector: 'scanner', reason: 'x', until: new Date() }

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.20.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '::1',
    'fd00::/64',
    'fe80::1',
  ])('V16.5.3 leave %s alone where no proxy is trusted: it may be one', async (address) => {
    const sparing = sparingProxies(actions, { trustedProxies: [] })
    expect(sparing.isProtected(address)).toBe(true)
    await expect(sparing.ban(tx, { address }, terms)).rejects.toMatchObject({ why: 'trusted-proxy' })
    expect(banned).toEqual([])
  })

  it('V2.4.1 hit everybody else, and where proxies are known also private addresses', async () => {
    const sparing = sparingProxies(actions, { trustedProxies: [] })
    for (const address of ['203.0.113.9', '172.32.0.1', '2001:db8::/64', '11.0.0.1'])
      expect(sparing.isProtected(address), address).toBe(false)
    expect(await sparing.ban(tx, { address: '203.0.113.9' }, terms)).toBe('id')
    expect(await sparing.ban(tx, { account: 'ann' }, terms)).toBe('id')
    const knowing = sparingProxies(actions, { trustedProxies: ['10.0.0.1'] })
    expect(knowing.isProtected('10.1.2.3')).toBe(false)
    expect(await knowing.ban(tx, { address: '10.1.2.3' }, terms)).toBe('id')
  })
})
