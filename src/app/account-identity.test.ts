import { describe, expect, it } from 'vitest'
import { oneKey } from '../../test/kit/signing.ts'
import type { Identify } from '../identity/index.ts'
import type { Principal } from '../route/index.ts'
import type { RevocationIndex } from '../sessions/index.ts'
import { accessTokens } from '../tokens/index.ts'
import { accountIdentity } from './account-identity.ts'

const startMs = Date.parse('2026-03-01T12:00:00Z')
const grant = {
  sub: 'ann',
  sid: 's1',
  ver: 3,
  roles: ['editor'],
  amr: ['pwd'],
  authTimeSeconds: startMs / 1_000 - 60,
}

/** An identity with an index that says what the test wants. */
function fresh() {
  const { keys } = oneKey()
  const clock = { nowMs: startMs }
  const tokens = accessTokens(keys, { origin: () => 'https://notes.example.com', nowMs: () => clock.nowMs })
  const ended = new Set<string>()
  const state = { minimumVersion: 0, isFresh: true, askedCount: 0 }
  const isKnownLive = ({ sid, ver }: { readonly sid: string; readonly ver: number }): boolean =>
    !ended.has(sid) && ver >= state.minimumVersion
  const index: RevocationIndex = {
    isLive(claims) {
      state.askedCount += 1
      return state.isFresh ? isKnownLive(claims) : Promise.resolve(isKnownLive(claims))
    },
    noteCommitted: async () => undefined,
    get isFresh() {
      return state.isFresh
    },
    close: async () => undefined,
  }
  const { identify, recall } = accountIdentity(tokens, index)
  const signed = (changes: Partial<typeof grant> = {}): { readonly authorization: string } => ({
    authorization: `Bearer ${tokens.sign({ ...grant, ...changes }).token}`,
  })
  return { keys, clock, ended, state, index, tokens, identify, recall, signed }
}

type Found = Awaited<ReturnType<Identify>> | ReturnType<Identify> | undefined

function expectPrincipal(found: Found): Principal {
  if (found === null || found === undefined || found instanceof Promise)
    throw new TypeError('nobody was found')
  expect(found).toEqual({
    id: 'ann',
    roles: ['editor'],
    session: { id: 's1', authTimeSeconds: grant.authTimeSeconds, methods: ['pwd'], transport: 'bearer' },
  })
  return found
}

describe('V7.4.1 V9.2.1 what is recalled of an Authorization field', () => {
  it('is what was found of it, and nothing before', () => {
    const { identify, recall, signed } = fresh()
    const field = signed()
    expect(recall(field)).toBeUndefined()
    const found = expectPrincipal(identify(field))
    expect(recall(field)).toBe(found)
    expect(recall({ ...field, cookie: 'a=b' })).toBe(found)
  })

  const ends: Readonly<Record<string, (world: ReturnType<typeof fresh>) => void>> = {
    'its time is over': ({ clock }) => {
      clock.nowMs += 600_000
    },
    'its session has ended': ({ ended }) => void ended.add('s1'),
    'the version of its account has grown': ({ state }) => {
      state.minimumVersion = 4
    },
    'its key was withdrawn': ({ keys }) => {
      keys.isWithdrawn = true
    },
  }
  it.each(Object.entries(ends))('is nothing once %s, and never again', async (_what, end) => {
    const world = fresh()
    const field = world.signed()
    world.identify(field)
    expect(world.recall(field)).toBeDefined()
    end(world)
    expect(world.recall(field)).toBeUndefined()
    expect(await world.identify(field)).toBeNull()
    expect(world.recall(field)).toBeUndefined()
  })

  it('is there to its last moment and not a moment longer', () => {
    const { clock, identify, recall, signed } = fresh()
    const field = signed()
    identify(field)
    clock.nowMs += 599_999
    expect(recall(field)).toBeDefined()
    clock.nowMs += 1
    expect(recall(field)).toBeUndefined()
  })

  it('is nothing while the index does not know, so that the database is asked', async () => {
    const { ended, state, identify, recall, signed } = fresh()
    const field = signed()
    identify(field)
    state.isFresh = false
    expect(recall(field)).toBeUndefined()
    expectPrincipal(await identify(field))
    ended.add('s1')
    expect(await identify(field)).toBeNull()
    state.isFresh = true
    expect(recall(field)).toBeUndefined()
  })

  it('is asked of the index each time', () => {
    const { state, identify, recall, signed } = fresh()
    const field = signed()
    identify(field)
    const before = state.askedCount
    for (let count = 1; count <= 5; count++) {
      recall(field)
      expect(state.askedCount).toBe(before + count)
    }
  })

  it('is nothing that only the database has said', async () => {
    const { state, identify, recall, signed } = fresh()
    const field = signed()
    state.isFresh = false
    expectPrincipal(await identify(field))
    state.isFresh = true
    expect(recall(field)).toBeUndefined()
  })

  it('is nothing of a token that was never good', () => {
    const { identify, recall, signed } = fresh()
    const { authorization } = signed()
    const forged = {
      authorization: `${authorization.slice(0, -2)}${authorization.endsWith('AA') ? 'BB' : 'AA'}`,
    }
    expect(identify(forged)).toBeNull()
    expect(recall(forged)).toBeUndefined()
  })

  it('is of the whole field, letter by letter', () => {
    const { identify, recall, signed } = fresh()
    const field = signed()
    identify(field)
    const { authorization } = field
    const token = authorization.slice('Bearer '.length)
    const others = [
      authorization.slice(0, -1),
      `${authorization}A`,
      `${authorization} `,
      ` ${authorization}`,
      `Bearer  ${token}`,
      `${authorization}, ${authorization}`,
      `Basic ${token}`,
      token,
      'Bearer',
      '',
      '__proto__',
      'constructor',
      signed({ sub: 'ben' }).authorization,
      signed({ sid: 's2' }).authorization,
    ]
    for (const other of others) expect(recall({ authorization: other }), other).toBeUndefined()
    expect(recall({})).toBeUndefined()
    expect(recall({ cookie: `__Host-access=${token}` })).toBeUndefined()
  })

  it('is the same for each spelling of the scheme, and dies with each', () => {
    const { ended, identify, recall, signed } = fresh()
    const { authorization } = signed()
    const spelled = [
      authorization,
      authorization.replace('Bearer', 'bearer'),
      authorization.replace('Bearer', 'BEARER'),
    ]
    for (const one of spelled) expectPrincipal(identify({ authorization: one }))
    for (const one of spelled) expectPrincipal(recall({ authorization: one }))
    ended.add('s1')
    for (const one of spelled) expect(recall({ authorization: one })).toBeUndefined()
  })

  it('is never a cookie, which the gate against other sites has to see', () => {
    const { identify, recall, signed } = fresh()
    const token = signed().authorization.slice('Bearer '.length)
    const cookie = `__Host-access=${token}`
    expect(identify({ cookie })).toMatchObject({ session: { transport: 'cookie' } })
    expect(recall({ cookie })).toBeUndefined()
    expect(recall({ authorization: '', cookie })).toBeUndefined()
  })

  it('V8.2.1 cannot be changed by one request for the next', () => {
    const { identify, recall, signed } = fresh()
    const field = signed()
    const found = expectPrincipal(identify(field))
    expect(() => Object.assign(found, { id: 'ben' })).toThrow(TypeError)
    expect(() => Object.assign(found, { tenantId: 'other' })).toThrow(TypeError)
    expect(() => Object.assign(found.roles, { 0: 'admin' })).toThrow(TypeError)
    expect(() => Array.prototype.push.call(found.roles, 'admin')).toThrow(TypeError)
    expect(() => Object.assign(found.session ?? {}, { authTimeSeconds: 0 })).toThrow(TypeError)
    expect(() => Array.prototype.push.call(found.session?.methods, 'otp')).toThrow(TypeError)
    expectPrincipal(recall(field))
  })

  it('V15.2.2 is bounded, and forgets whoever has not come for long', () => {
    const { index, tokens, signed } = fresh()
    const claims = tokens.verify(signed().authorization.slice('Bearer '.length))
    // Each token is good, and costs no signature: there are many of them.
    const { identify, recall } = accountIdentity(
      { ...tokens, verify: () => claims, recall: () => claims ?? undefined },
      index,
    )
    const field = (name: number) => ({ authorization: `Bearer many-${name}` })
    for (let name = 0; name < 5_000; name++) identify(field(name))
    expect(recall(field(0))).toBeDefined()
    for (let name = 10_000; name < 20_001; name++) identify(field(name))
    expect(recall(field(0))).toBeUndefined()
    expect(recall(field(20_000))).toBeDefined()
    expectPrincipal(identify(field(0)))
    expect(recall(field(0))).toBeDefined()
  })

  it('is as new for each spelling of the scheme, of which there are few', () => {
    const { identify, recall, signed } = fresh()
    const [first, last] = [signed(), signed({ sid: 's2' })]
    identify(first)
    const token = last.authorization.slice('Bearer '.length)
    for (let bits = 0; bits < 64; bits++) {
      const scheme = [...'bearer']
        .map((letter, at) => (bits & (1 << at) ? letter.toUpperCase() : letter))
        .join('')
      expect(identify({ authorization: `${scheme} ${token}` })).not.toBeNull()
    }
    expect(recall(first)).toBeDefined()
  })
})
