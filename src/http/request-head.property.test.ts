import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hostCheck } from './host.ts'
import { defaultLimits } from './limits.ts'
import { headRefusal } from './request-head.ts'

describe('V4.2.1 V4.1.2 the check of the host, which remembers the one before', () => {
  const origins = ['https://api.example.com', 'http://127.0.0.1:3000', 'http://localhost']
  const host = fc.constantFrom(
    undefined,
    '',
    'api.example.com',
    'API.example.com',
    'api.example.com:443',
    'api.example.com:80',
    '127.0.0.1:3000',
    'localhost',
    'localhost:3000',
    'evil.example',
    'api.example.com@evil.example',
    'api.example.com/',
  )
  const target = fc.constantFrom(
    '/',
    '//evil.example/',
    'http://evil.example/',
    'https://api.example.com/',
    'http://localhost:3000/',
    'http://a b/',
    '*',
    '',
    'evil.example:443',
  )
  const facts = fc.record({ host, target, localPort: fc.constantFrom(undefined, 80, 443, 3000) })

  it('says of each request what it would say of it alone', () => {
    const verdicts = new Set<string>()
    fc.assert(
      fc.property(
        fc.constantFrom(...origins),
        fc.constantFrom('production' as const, 'test' as const),
        fc.array(facts, { maxLength: 12 }),
        (origin, mode, requests) => {
          const check = hostCheck(new URL(origin), mode)
          for (const request of requests) {
            const verdict = check(request)
            expect(verdict).toBe(hostCheck(new URL(origin), mode)(request))
            // What was ours a moment ago is looked at once more in another company.
            expect(check(request)).toBe(verdict)
            verdicts.add(verdict)
          }
        },
      ),
      { numRuns: 500 },
    )
    expect(verdicts).toEqual(new Set(['ours', 'malformed', 'misdirected']))
  })
})

describe('V4.2.1 the look at the head of a request', () => {
  const singles = [
    'authorization',
    'content-encoding',
    'content-length',
    'content-type',
    'host',
    'idempotency-key',
    'origin',
    'sec-fetch-site',
  ]
  const spelled = (names: readonly string[]) =>
    fc.tuple(fc.constantFrom(...names), fc.nat(2)).map(([name, how]) => {
      if (how === 0) return name
      return how === 1 ? name.toUpperCase() : name.replace(/[a-z]/, (letter) => letter.toUpperCase())
    })
  const others = ['accept', 'cookie', 'x-forwarded-for', 'hos', 'origins', 'x-content-type', 'tsoh']
  const field = fc.tuple(spelled([...singles, ...others]), fc.constantFrom('', 'a', 'b'))

  it('refuses a field that must stand once and stands twice, in any spelling, and nothing else', () => {
    let repeatedCount = 0
    fc.assert(
      fc.property(fc.array(field, { maxLength: 8 }), (fields) => {
        const names = fields.map(([name]) => name.toLowerCase())
        const repeated = names.find((name, at) => singles.includes(name) && names.indexOf(name) < at)
        const refusal = headRefusal({ url: '/', rawHeaders: fields.flat() }, defaultLimits)
        if (repeated === undefined) expect(refusal).toBeUndefined()
        else {
          repeatedCount += 1
          expect(refusal).toMatchObject({ code: 'BAD_REQUEST', reason: `repeated ${repeated}` })
        }
      }),
      { numRuns: 1_000 },
    )
    expect(repeatedCount).toBeGreaterThan(100)
  })

  it.each(singles)('refuses each of them by itself: %s', (name) => {
    const twice = [name, 'a', 'accept', '*/*', name.toUpperCase(), 'a']
    expect(headRefusal({ rawHeaders: twice }, defaultLimits)?.code).toBe('BAD_REQUEST')
    expect(headRefusal({ rawHeaders: twice.slice(0, 4) }, defaultLimits)).toBeUndefined()
  })

  it('counts bytes and fields to the last one', () => {
    const bytes = (count: number) => headRefusal({ rawHeaders: ['x', 'a'.repeat(count - 5)] }, defaultLimits)
    expect(bytes(defaultLimits.headerBytes)).toBeUndefined()
    expect(bytes(defaultLimits.headerBytes + 1)?.code).toBe('HEADERS_TOO_LARGE')
    const many = (count: number) =>
      headRefusal({ rawHeaders: Array.from({ length: count * 2 }, () => 'x') }, defaultLimits)
    expect(many(defaultLimits.headerCount)).toBeUndefined()
    expect(many(defaultLimits.headerCount + 1)?.code).toBe('HEADERS_TOO_LARGE')
  })
})
