import { describe, expect, it } from 'vitest'
import {
  injectionTargets,
  scannerPaths,
  sqlPayloads,
  vagueInjectionTargets,
  vagueSqlPayloads,
} from '../../test/corpus/payloads.ts'
import { honestSearches } from '../../test/corpus/searches.ts'
import { probeOf } from './probes.ts'
import { isScannerAgent, isScannerPath } from './scanners.ts'

const inQuery = (text: string): string => `/api/notes?search=${encodeURIComponent(text)}`
const asForm = (text: string): string => `/api/notes?${new URLSearchParams([['search', text]])}`

describe('probes', () => {
  it.each(sqlPayloads)('V16.3.3 %s has no honest reading', (payload) => {
    for (const target of [inQuery(payload), asForm(payload), `/api/notes/${encodeURIComponent(payload)}`])
      expect(probeOf(target)?.signal).toBe('sql-evident')
  })

  it.each(vagueSqlPayloads)('V16.3.3 %s must repeat', (payload) => {
    expect(probeOf(inQuery(payload))?.signal).toBe('sql-likely')
  })

  it.each(injectionTargets)('V16.3.3 %s has no honest reading', (target) => {
    expect(probeOf(target)?.signal).toBe('injection-evident')
  })

  it.each(vagueInjectionTargets)('V16.3.3 %s must repeat', (target) => {
    expect(probeOf(target)?.signal).toBe('injection-likely')
  })

  it.each(honestSearches)('V16.3.3 a search for %s is never found at once', (search) => {
    expect(probeOf(inQuery(search))?.signal ?? '').not.toContain('evident')
    expect(probeOf(asForm(search))?.signal ?? '').not.toContain('evident')
  })

  it.each(["O'Brien", 'select a plan from the list', '5>3', 'C:\\notes', '1=1 club'])(
    'V16.3.3 a search for %s is nothing at all',
    (search) => {
      expect(probeOf(inQuery(search))).toBeUndefined()
    },
  )

  it('V16.3.3 of the honest searches few are even worth a count', () => {
    const counted = honestSearches.filter((search) => probeOf(inQuery(search)) !== undefined)
    expect(counted.length).toBeLessThan(honestSearches.length / 8)
  })

  it('V16.3.3 a name in the query is looked at as well', () => {
    expect(probeOf(`/api/notes?${encodeURIComponent("' or '1'='1")}=x`)?.signal).toBe('sql-evident')
  })

  it('V15.2.2 a target that was made to be slow is not', () => {
    const pieces = [
      `' or `,
      '<a a',
      '<a on',
      '1 or ',
      'select x from ',
      '../',
      '${',
      ';cat ',
      "',a",
      '%25',
      '&a',
      "'-- ",
      '\n:',
    ]
    for (const piece of pieces) {
      const target = `/x?a=${encodeURIComponent(piece.repeat(2_048)).slice(0, 2_040)}`
      const startMs = performance.now()
      for (let time = 0; time < 20; time++) probeOf(target)
      // A thousandth of a second for each would be far too long already; a quadratic rule takes many times that.
      expect((performance.now() - startMs) / 20).toBeLessThan(20)
    }
  })
})

describe('scanners', () => {
  it.each(scannerPaths)('V16.3.3 %s is asked for by nobody else', (path) => {
    expect(isScannerPath(path.toLowerCase())).toBe(true)
  })

  it.each([
    '/favicon.ico',
    '/robots.txt',
    '/.well-known/security.txt',
    '/api/environment',
    '/docs/git',
    '/api/data.json',
  ])('V16.3.3 %s is asked for by others', (path) => {
    expect(isScannerPath(path)).toBe(false)
  })

  it('V16.3.3 tools that say their name are known, and clients that programs use are not', () => {
    for (const agent of [
      'sqlmap/1.9',
      'Mozilla/5.00 (Nikto/2.5.0)',
      'Mozilla/5.0 (compatible; Nmap Scripting Engine)',
      'gobuster/3.8',
    ])
      expect(isScannerAgent(agent)).toBe(true)
    for (const agent of [
      '',
      'curl/8.16.0',
      'python-requests/2.32.5',
      'Mozilla/5.0 (Windows NT 10.0) Chrome/141',
      'Zapier',
      'kube-probe/1.34',
    ])
      expect(isScannerAgent(agent)).toBe(false)
  })
})
