import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bearerMaxChars, parseBearer } from './bearer.ts'

describe('the Authorization field', () => {
  for (const field of ['Bearer a.b-c_d~e+f/g==', 'bearer a', 'BEARER a']) {
    it(`takes ${field}`, () => expect(parseBearer(field)).toBe(field.slice('Bearer '.length)))
  }

  const refused = [
    '',
    'Bearer',
    'Bearer ',
    'Bearer %',
    'Bearer  a',
    'Bearer\ta',
    ' Bearer a',
    'Bearer a ',
    'Bearer a b',
    'Bearer a, Bearer b',
    'Bearer a,Bearer b',
    'Bearer =',
    'Bearer a=b',
    'Bearer "a"',
    'Bearer a\r\nx: y',
    'Bearer é',
    'Bearer token="a"',
    'Basic YTpi',
    'Bearera',
    'a',
  ]
  for (const field of refused) {
    it(`V2.2.1 is no credential: ${JSON.stringify(field)}`, () => expect(parseBearer(field)).toBeNull())
  }

  it('V2.2.1 is not looked at when it is too long', () => {
    expect(parseBearer(`Bearer ${'a'.repeat(bearerMaxChars)}`)).not.toBeNull()
    expect(parseBearer(`Bearer ${'a'.repeat(bearerMaxChars + 1)}`)).toBeNull()
    expect(parseBearer(undefined)).toBeNull()
  })

  it('V16.5.3 never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const token = parseBearer(`Bearer ${text}`)
        expect(token === null || token === text).toBe(true)
      }),
    )
  })
})
