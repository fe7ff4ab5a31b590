import { describe, expect, it } from 'vitest'
import { repeatedGuardedCookie } from './cookies.ts'
import { isCrossSite, type SiteFacts } from './csrf.ts'

const own = 'https://api.example.com'
const app = 'https://app.example.com'
const trusted = { own, listed: new Set([app]) }
const browser: SiteFacts = {
  method: 'POST',
  hasCookie: true,
  hasAuthorization: false,
  fetchSite: undefined,
  origin: undefined,
}

describe('isCrossSite', () => {
  const cases: readonly (readonly [string, Partial<SiteFacts>, boolean])[] = [
    ['same-origin', { fetchSite: 'same-origin' }, false],
    ['none: typed by the user', { fetchSite: 'none' }, false],
    ['cross-site', { fetchSite: 'cross-site' }, true],
    ['cross-site from a listed origin', { fetchSite: 'cross-site', origin: app }, true],
    ['cross-site that claims our origin', { fetchSite: 'cross-site', origin: own }, true],
    ['same-site without origin', { fetchSite: 'same-site' }, true],
    ['same-site from a sibling', { fetchSite: 'same-site', origin: 'https://blog.example.com' }, true],
    ['same-site from a listed sibling', { fetchSite: 'same-site', origin: app }, false],
    ['an unknown value', { fetchSite: 'Same-Origin' }, true],
    ['an empty value', { fetchSite: '' }, true],
    ['a repeated value', { fetchSite: 'same-origin, cross-site' }, true],
    ['nothing at all', {}, true],
    ['no metadata, our origin', { origin: own }, false],
    ['no metadata, a listed origin', { origin: app }, false],
    ['no metadata, a foreign origin', { origin: 'https://evil.example' }, true],
    ['no metadata, origin null', { origin: 'null' }, true],
    ['no metadata, our origin with a suffix', { origin: `${own}.evil.example` }, true],
    ['no metadata, our origin over http', { origin: 'http://api.example.com' }, true],
    ['no cookie', { hasCookie: false, fetchSite: 'cross-site' }, false],
    ['an Authorization header', { hasAuthorization: true, fetchSite: 'cross-site' }, false],
    ['GET', { method: 'GET', fetchSite: 'cross-site' }, false],
    ['DELETE', { method: 'DELETE', fetchSite: 'cross-site' }, true],
    ['an unknown method', { method: 'PURGE', fetchSite: 'cross-site' }, true],
  ]
  for (const [name, facts, want] of cases) {
    it(`V3.5.1 ${name}: ${want ? 'refused' : 'passes'}`, () => {
      expect(isCrossSite({ ...browser, ...facts }, trusted)).toBe(want)
    })
  }
})

describe('repeatedGuardedCookie', () => {
  const cases = [
    ['__Host-session=a; x=1', undefined],
    ['__Host-session=a; __Host-session=b', '__host-session'],
    ['__Host-session=a;__host-SESSION=b', '__host-session'],
    ['a=1; __Secure-x=1;  __Secure-x =2', '__secure-x'],
    ['a=1; a=2', undefined],
    ['', undefined],
  ] as const
  for (const [header, want] of cases) {
    it(`V3.3.3 ${JSON.stringify(header)}: ${want ?? 'fine'}`, () => {
      expect(repeatedGuardedCookie(header)).toBe(want)
    })
  }
})
