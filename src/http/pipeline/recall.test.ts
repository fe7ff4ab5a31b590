import { describe, expect, it } from 'vitest'
import { storeWith } from '../../../test/kit/limits.ts'
import { Limiter, memoryStore, per } from '../../limits/index.ts'
import type { AccessRule, LimitClass, Principal } from '../../route/index.ts'
import { type AdmissionServices, admit } from './admit.ts'

const ann: Principal = { id: 'ann', roles: [] }
const ben: Principal = { id: 'ben', roles: [], tenantId: 'acme', apiKeyId: 'key-1' }
const signedIn: AccessRule = { kind: 'signed-in' }
const open: AccessRule = { kind: 'open', reason: 'Says nothing.' }

/** Admission that has been told of `good` before, and finds nobody behind any other field. */
function remembering(user: Principal = ann, limits: LimitClass = per('hour', 3), bannedForMs?: number) {
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
      return null
    },
    recall: ({ authorization }) => {
      asked.push('recall')
      return authorization === 'good' ? user : undefined
    },
    accountBannedForMs: (id) => {
      asked.push(`banned ${id}`)
      return bannedForMs
    },
  }
  const arrive = async (
    authorization = 'good',
    clientAddress = '192.0.2.1',
    access: AccessRule = signedIn,
    cost = 1,
  ) => {
    const arrival = { clientAddress, route: 'GET /api/notes', params: {}, headers: { authorization }, cost }
    return await admit(access, limiter, arrival, services)
  }
  return { asked, arrive, limiter }
}

const overLimit = { code: 'QUOTA_EXCEEDED', headers: { 'retry-after': expect.stringMatching(/^\d+$/) } }

describe('V2.4.1 admission of somebody who is recalled', () => {
  it('counts address and account in one step, without a look at the credential', async () => {
    const { asked, arrive } = remembering()
    expect(await arrive()).toMatchObject({ user: ann, outcome: { allowed: true, remaining: 2 } })
    expect(asked).toEqual(['recall', 'banned ann', 'count address:192.0.2.1 account:ann'])
  })

  it('refuses once the account is over its limit, from any address', async () => {
    const { arrive } = remembering()
    for (let index = 0; index < 3; index++) await arrive('good', `192.0.2.${index}`)
    await expect(arrive('good', '192.0.2.9')).rejects.toMatchObject(overLimit)
  })

  it('refuses once the address is over its limit, whoever has used it up', async () => {
    const { arrive } = remembering()
    for (let index = 0; index < 3; index++) expect((await arrive('wrong')).user).toBeNull()
    await expect(arrive()).rejects.toMatchObject(overLimit)
    // From elsewhere the account has all that is its own: what was refused took nothing.
    expect((await arrive('good', '192.0.2.2')).outcome.remaining).toBe(2)
  })

  it('counts what it costs', async () => {
    const { arrive } = remembering(ann, per('hour', 10))
    expect((await arrive('good', '192.0.2.1', signedIn, 4)).outcome.remaining).toBe(6)
    expect((await arrive('good', '192.0.2.1', signedIn, 4)).outcome.remaining).toBe(2)
    await expect(arrive('good', '192.0.2.1', signedIn, 4)).rejects.toMatchObject(overLimit)
  })

  it('counts tenant and key', async () => {
    const { asked, arrive } = remembering(ben, per('hour', 3, { by: ['tenant', 'api-key'] }))
    await arrive()
    expect(asked.at(-1)).toMatch(/^count .*acme.*key-1/)
  })

  it('holds the places of the account', async () => {
    const { arrive } = remembering(ann, per('hour', 100, { concurrentCount: 2 }))
    const [first] = [await arrive('good', '192.0.2.1'), await arrive('good', '192.0.2.2')]
    await expect(arrive('good', '192.0.2.3')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
    first?.outcome.settle?.('well')
    expect((await arrive('good', '192.0.2.3')).user).toBe(ann)
  })

  it('V2.4.1 refuses a banned account, and counts it as a stranger of its address', async () => {
    const { asked, arrive } = remembering(ann, per('hour', 3), 60_000)
    for (let index = 0; index < 3; index++)
      await expect(arrive()).rejects.toMatchObject({ code: 'ABNORMAL_USAGE' })
    expect(asked.filter((one) => one.startsWith('count'))).toEqual([
      'count address:192.0.2.1',
      'count address:192.0.2.1',
      'count address:192.0.2.1',
    ])
    await expect(arrive()).rejects.toMatchObject(overLimit)
  })

  it('asks nobody on an open route', async () => {
    const { asked, arrive } = remembering()
    expect((await arrive('good', '192.0.2.1', open)).user).toBeNull()
    expect(asked).toEqual(['count address:192.0.2.1'])
  })
})

describe('V2.4.1 admission of whoever is not recalled', () => {
  it('costs them a request for each guess, until their address is not looked at any more', async () => {
    const { asked, arrive } = remembering()
    for (let index = 0; index < 3; index++) expect((await arrive(`guess-${index}`)).user).toBeNull()
    asked.length = 0
    await expect(arrive('guess-4')).rejects.toMatchObject(overLimit)
    // The look from memory is all that is done for them.
    expect(asked).toEqual(['recall'])
  })

  it('does not let a guesser pass for somebody whose token was good a moment ago', async () => {
    const { arrive } = remembering()
    expect((await arrive()).user).toBe(ann)
    expect((await arrive('GOOD')).user).toBeNull()
    expect((await arrive('good ')).user).toBeNull()
  })
})
