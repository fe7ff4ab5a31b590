import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { limitKey, per } from '../../limits/index.ts'
import type { LimitClass } from '../limit-class.ts'
import { placeAbove } from '../place.ts'
import type { RouteSpec } from '../route.ts'
import { words } from '../words.ts'
import { examineRoute } from './examine.ts'
import { examineVocabulary } from './vocabulary.ts'

const { open, signedIn, vocabulary } = words({
  resources: [],
  roles: [],
  limits: { tiny: per('minute', 3), mine: per('minute', 60, { by: ['account', 'tenant'] }) },
})

const Paging = z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(20) })
const base = { access: signedIn(), output: z.strictObject({ ok: z.boolean() }), query: Paging } as const

function rulesOfRoute(spec: RouteSpec): string[] {
  const record = { address: 'GET /a', spec, handler: () => ({ ok: true }), place: placeAbove(rulesOfRoute) }
  return examineRoute(record, vocabulary).violations.map(({ rule }) => rule)
}

function faultsOf(limit: LimitClass): string[] {
  return examineVocabulary({ roles: [], resources: [], limits: { a: limit } }).map(({ fault }) => fault)
}

describe('V2.4.1 a limit class', () => {
  it('is refused with whatever is no limit', () => {
    const wrong: LimitClass[] = [
      per('minute', 0),
      per('minute', 5, { burst: 0 }),
      per('day', 1, { burst: 2_000_000 }),
      per('minute', 5, { algorithm: 'sliding-window', burst: 3 }),
      per('minute', 5, { by: [] }),
      per('minute', 5, { by: ['account', 'account'] }),
      per('minute', 5, { by: [limitKey('Not A Name', () => null)] }),
      per('minute', 5, { and: { daily: per('day', -1) } }),
      per('minute', 5, { and: { 'Not A Name': per('day', 5) } }),
      per('minute', 5, { slowDown: { after: 5, maxDelayMs: 100 } }),
      per('minute', 5, { slowDown: { after: 2, maxDelayMs: 60_000 } }),
      per('minute', 5, { concurrentCount: 0 }),
    ]
    for (const limit of wrong) expect(faultsOf(limit), JSON.stringify(limit)).toHaveLength(1)
  })

  it('is refused where JavaScript has written what no type lets through', () => {
    const wrong: object[] = [
      { algorithm: 'leaky' },
      { counts: 'errors' },
      { outage: 'open' },
      { by: ['ip'] },
      { by: [{ name: 'x' }] },
      { by: [null] },
    ]
    for (const part of wrong)
      expect(faultsOf(Object.assign(per('minute', 5), part)), JSON.stringify(part)).toHaveLength(1)
  })

  it('passes with everything that it may say', () => {
    const whole = per('minute', 60, {
      by: ['account', 'network', limitKey('project', () => null)],
      algorithm: 'token-bucket',
      burst: 10,
      and: { daily: per('day', 1_000, { by: ['tenant'], algorithm: 'sliding-window' }) },
      counts: 'failures',
      slowDown: { after: 5, maxDelayMs: 500 },
      concurrentCount: 4,
      outage: 'strict',
    })
    expect(faultsOf(whole)).toEqual([])
  })

  it('is there without being declared, and an application’s own takes its place', () => {
    const { vocabulary: ours } = words({ resources: [], roles: [], limits: { read: per('minute', 7) } })
    expect(ours.limits['read']).toEqual({ count: 7, windowSeconds: 60 })
    expect(Object.keys(ours.limits)).toEqual(['read', 'write', 'auth', 'upload', 'expensive'])
    expect(examineVocabulary(words({ resources: [], roles: [] }).vocabulary)).toEqual([])
  })
})

describe('V2.4.1 the limit of a route', () => {
  it('may be one of its own', () => {
    expect(rulesOfRoute({ ...base, limit: per('minute', 10) })).toEqual([])
    expect(rulesOfRoute({ ...base, limit: per('minute', 0) })).toEqual(['limit.invalid'])
  })

  it('is refused on an open route where it counts no stranger', () => {
    const anyone = { ...base, access: open('Says nothing.') }
    expect(rulesOfRoute({ ...base, limit: 'mine' })).toEqual([])
    expect(rulesOfRoute({ ...anyone, limit: 'mine' })).toEqual(['route.limit-uncounted'])
    expect(rulesOfRoute({ ...anyone, limit: 'read' })).toEqual([])
    expect(rulesOfRoute({ ...anyone, limit: per('minute', 5, { by: ['account+address'] }) })).toEqual([])
    const own = limitKey('chosen', ({ params }) => params?.['id'] ?? null)
    // A key that the caller chooses is no limit on the caller.
    expect(rulesOfRoute({ ...anyone, limit: per('minute', 5, { by: [own] }) })).toEqual([
      'route.limit-uncounted',
    ])
  })

  it('lets the dearest request pass, or the application does not boot', () => {
    const cost = (per: number) => ({ query: 'limit', per })
    expect(rulesOfRoute({ ...base, limit: 'tiny', cost: 3 })).toEqual([])
    expect(rulesOfRoute({ ...base, limit: 'tiny', cost: 4 })).toEqual(['route.cost-invalid'])
    expect(rulesOfRoute({ ...base, limit: 'tiny', cost: cost(34) })).toEqual([])
    expect(rulesOfRoute({ ...base, limit: 'tiny', cost: cost(25) })).toEqual(['route.cost-invalid'])
    expect(rulesOfRoute({ ...base, limit: 'tiny', cost: { query: 'size', per: 50 } })).toEqual([
      'route.cost-invalid',
    ])
    const unbounded = z.strictObject({ limit: z.coerce.number() })
    expect(rulesOfRoute({ ...base, query: unbounded, limit: 'tiny', cost: cost(50) })).toContain(
      'route.cost-invalid',
    )
  })
})
