import { describe, expect, it } from 'vitest'
import { storeWith } from '../../../test/kit/limits.ts'
import { Limiter, memoryStore, per } from '../../limits/index.ts'
import type { AccessRule, LimitClass, Principal } from '../../route/index.ts'
import { type AdmissionServices, type Arrival, admit } from './admit.ts'

const ann: Principal = { id: 'ann', roles: [] }
const signedIn: AccessRule = { kind: 'signed-in' }
const open: AccessRule = { kind: 'open', reason: 'Says nothing.' }

/** Admission that notes what it asks, in order. */
function watched(user: Principal | null, limits: LimitClass = per('hour', 3)) {
  const asked: string[] = []
  const store = memoryStore()
  const noting = storeWith(store, (checks, nowMs) => {
    asked.push(`count ${checks.map(({ key }) => key).join(' ')}`)
    return store.consume(checks, nowMs)
  })
  const limiter = new Limiter(limits, { name: 'read', store: noting })
  const services: AdmissionServices = {
    identify: () => {
      asked.push('identify')
      return user
    },
    accountBannedForMs: () => undefined,
  }
  const arrive = async (
    access: AccessRule = signedIn,
    more: { readonly arrival?: Partial<Arrival>; readonly services?: Partial<AdmissionServices> } = {},
  ) => {
    const arrival: Arrival = {
      clientAddress: '2001:db8::1',
      route: 'GET /api/notes',
      params: {},
      headers: { authorization: 'Bearer x' },
      cost: 1,
      ...more.arrival,
    }
    return await admit(access, limiter, arrival, { ...services, ...more.services })
  }
  return { asked, arrive }
}

describe('V2.4.1 V8.2.1 admission', () => {
  it('finds out who asks, and then counts address and account in one step', async () => {
    const { asked, arrive } = watched(ann)
    expect(await arrive()).toMatchObject({ user: ann, outcome: { allowed: true, remaining: 2 } })
    expect(asked).toEqual(['identify', 'count address:2001:db8:0:0::/64 account:ann'])
  })

  it('does not look at a credential when the address is used up', async () => {
    const { asked, arrive } = watched(null)
    for (let index = 0; index < 3; index++) await arrive()
    asked.length = 0
    await expect(arrive()).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
      violatedPolicies: ['read'],
    })
    expect(asked).toEqual([])
  })

  it('refuses when the account is used up from other addresses', async () => {
    const { arrive } = watched(ann)
    for (let index = 0; index < 3; index++)
      await arrive(signedIn, { arrival: { clientAddress: `192.0.2.${index}` } })
    await expect(arrive(signedIn, { arrival: { clientAddress: '192.0.2.9' } })).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
    })
  })

  it('counts the sender of no valid credential by the address', async () => {
    const { asked, arrive } = watched(null)
    expect((await arrive()).user).toBeNull()
    expect(asked).toEqual(['identify', 'count address:2001:db8:0:0::/64'])
  })

  it('asks nobody who they are on an open route', async () => {
    const { asked, arrive } = watched(ann)
    expect((await arrive(open)).user).toBeNull()
    expect(asked).toEqual(['count address:2001:db8:0:0::/64'])
  })

  it('takes what a request costs', async () => {
    const { arrive } = watched(ann)
    expect((await arrive(signedIn, { arrival: { cost: 3 } })).outcome.remaining).toBe(0)
    await expect(arrive()).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
  })

  it('V16.5.3 refuses when the identity fails, and counts the request all the same', async () => {
    const { arrive } = watched(ann)
    const identify = (): never => {
      throw new TypeError('down')
    }
    for (let index = 0; index < 3; index++)
      await expect(arrive(signedIn, { services: { identify } })).rejects.toThrow('down')
    await expect(arrive(signedIn, { services: { identify } })).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
    })
  })

  it('V16.5.3 refuses when the limiter fails', async () => {
    const store = storeWith(memoryStore(), () => Promise.reject(new TypeError('down')))
    const limiter = new Limiter(per('hour', 3), { name: 'read', store })
    const arrival = { clientAddress: '192.0.2.1', route: '', params: {}, headers: {}, cost: 1 }
    const services = { identify: () => ann, accountBannedForMs: () => undefined }
    await expect(admit(signedIn, limiter, arrival, services)).rejects.toThrow('down')
  })

  it('refuses a banned account, having counted its address', async () => {
    const { asked, arrive } = watched(ann)
    const accountBannedForMs = (userId: string) => (userId === 'ann' ? 5_000 : undefined)
    await expect(arrive(signedIn, { services: { accountBannedForMs } })).rejects.toMatchObject({
      code: 'ABNORMAL_USAGE',
      headers: { 'retry-after': '5' },
    })
    expect(asked).toEqual(['identify', 'count address:2001:db8:0:0::/64'])
  })
})
