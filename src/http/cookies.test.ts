import { describe, expect, it } from 'vitest'
import { cookieIn, repeatedGuardedCookie } from './cookies.ts'

describe('a cookie of a request', () => {
  for (const [header, value] of [
    ['__Host-access=a.b-c_d', 'a.b-c_d'],
    ['other=1; __Host-access=x', 'x'],
    ['__Host-access=', ''],
    ['__Host-access=a=b', 'a=b'],
    ['__Host-access=x;other=__Host-access=y', 'x'],
  ] as const) {
    it(`is read out of ${header}`, () => expect(cookieIn(header, '__Host-access')).toBe(value))
  }

  // A cookie of nearly the same name can be planted from a sibling domain or without TLS.
  for (const header of [
    '',
    '__host-access=x',
    '__Host-access2=x',
    '__Host-acces=x',
    'x__Host-access=x',
    '__Host-access',
    '__Host-access =x',
    '__Host-access=x; __Host-access=y',
    '__Host-access=x; __Host-access=x',
  ]) {
    it(`V3.3.3 is not there in ${header || '(nothing)'}`, () =>
      expect(cookieIn(header, '__Host-access')).toBeUndefined())
  }

  it('is not there without a field', () => expect(cookieIn(undefined, '__Host-access')).toBeUndefined())

  it('V3.3.3 a guarded name that stands twice is found', () => {
    expect(repeatedGuardedCookie('__Host-access=x; __host-access=y')).toBe('__host-access')
    expect(repeatedGuardedCookie('a=1; a=2')).toBeUndefined()
  })
})
