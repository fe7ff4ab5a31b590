import { describe, expect, it } from 'vitest'
import type { Principal } from '../../route/index.ts'
import { admit, type Gatekeeping } from './admit.ts'
import type { PipelineServices } from './services.ts'

const ann: Principal = { id: 'ann', roles: [] }
const limit = { name: 'read', limit: { count: 1, windowSeconds: 60 } }
const arrival = { clientAddress: '2001:db8::1', headers: { authorization: 'Bearer x' } }

/** Services that note what they are asked, in order. */
function watched(user: Principal | null, refused: (key: string) => boolean = () => false) {
  const asked: string[] = []
  const unused = (): never => {
    throw new TypeError('admission touches no row')
  }
  const services: PipelineServices = {
    count: (name, _limit, key) => {
      asked.push(`count ${name} ${key}`)
      return { allowed: !refused(key), fields: { 'retry-after': '7' } }
    },
    identify: () => {
      asked.push('identify')
      return user
    },
    scoped: unused,
    pager: unused,
    loadRow: unused,
    refusedRow: unused,
    transaction: unused,
    once: unused,
  }
  return { asked, services }
}

const signedIn: Gatekeeping = { access: { kind: 'signed-in' }, limit }

describe('V2.4.1 V8.2.1 admission', () => {
  it('counts the address first, then looks at the credential, then counts the account', async () => {
    const { asked, services } = watched(ann)
    await admit(signedIn, arrival, services)
    expect(asked).toEqual(['count read address:2001:db8:0:0::/64', 'identify', 'count read account:ann'])
  })

  it('does not look at a credential when the address is used up', async () => {
    const { asked, services } = watched(ann, (key) => key.startsWith('address:'))
    await expect(admit(signedIn, arrival, services)).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      headers: { 'retry-after': '7' },
    })
    expect(asked).toHaveLength(1)
  })

  it('refuses when the account is used up from other addresses', async () => {
    const { services } = watched(ann, (key) => key.startsWith('account:'))
    await expect(admit(signedIn, arrival, services)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
  })

  it('refuses the sender of no valid credential, having counted it', async () => {
    const { asked, services } = watched(null)
    await expect(admit(signedIn, arrival, services)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(asked).toHaveLength(2)
  })

  it('asks nobody who they are on an open route', async () => {
    const { asked, services } = watched(ann)
    const open: Gatekeeping = { access: { kind: 'open', reason: 'Says nothing.' }, limit }
    expect(await admit(open, arrival, services)).toEqual({ kind: 'open' })
    expect(asked).toEqual(['count read address:2001:db8:0:0::/64'])
  })

  it('V16.5.3 refuses when the limiter or the identity fails', async () => {
    const { services } = watched(ann)
    const broken = (): never => {
      throw new TypeError('down')
    }
    await expect(admit(signedIn, arrival, { ...services, count: broken })).rejects.toThrow('down')
    await expect(admit(signedIn, arrival, { ...services, identify: broken })).rejects.toThrow('down')
  })
})
