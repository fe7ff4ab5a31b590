import { describe, expect, it } from 'vitest'
import { hostCheck } from './host.ts'
import { canonicalLocation } from './redirect.ts'

const origin = new URL('https://api.example.com')

describe('hostCheck', () => {
  const production = hostCheck(origin, 'production')
  const cases = [
    ['api.example.com', 'ours'],
    ['API.EXAMPLE.COM', 'ours'],
    ['api.example.com:443', 'ours'],
    ['api.example.com:8443', 'misdirected'],
    ['api.example.com.', 'malformed'],
    ['evil.example', 'misdirected'],
    ['api.example.com.evil.example', 'misdirected'],
    ['evilapi.example.com', 'misdirected'],
    ['localhost:3000', 'misdirected'],
    ['127.0.0.1:3000', 'misdirected'],
    [undefined, 'malformed'],
    ['', 'malformed'],
    ['api.example.com, evil.example', 'malformed'],
    ['user@api.example.com', 'malformed'],
    ['api.example.com/evil', 'malformed'],
    ['api.example.com\\evil', 'malformed'],
    ['api.example.com:', 'malformed'],
    ['api.example.com:443443', 'malformed'],
    ['api.example.com ', 'malformed'],
    ['[::1', 'malformed'],
  ] as const
  for (const [host, want] of cases) {
    it(`RFC 9110 §7.4 ${JSON.stringify(host)} is ${want}`, () => {
      expect(production({ host, target: '/', localPort: 3000 })).toBe(want)
    })
  }

  it('V4.2.1 holds the authority of an absolute target to the same rule', () => {
    const verdict = (target: string): string =>
      production({ host: 'api.example.com', target, localPort: 3000 })
    expect(verdict('https://api.example.com/x')).toBe('ours')
    expect(verdict('http://evil.example/x')).toBe('misdirected')
    expect(verdict('HTTP://evil.example')).toBe('misdirected')
    expect(verdict('http://api.example.com@evil.example/x')).toBe('malformed')
    expect(verdict('http:///x')).toBe('malformed')
  })

  it('RFC 9110 §7.4 accepts loopback names with the listening port outside production only', () => {
    for (const mode of ['development', 'test'] as const) {
      const check = hostCheck(new URL('http://127.0.0.1:3000'), mode)
      expect(check({ host: 'localhost:4000', target: '/', localPort: 4000 })).toBe('ours')
      expect(check({ host: '[::1]:4000', target: '/', localPort: 4000 })).toBe('ours')
      expect(check({ host: 'localhost:4001', target: '/', localPort: 4000 })).toBe('misdirected')
      expect(check({ host: 'evil.example:4000', target: '/', localPort: 4000 })).toBe('misdirected')
    }
    expect(production({ host: 'localhost:4000', target: '/', localPort: 4000 })).toBe('misdirected')
  })
})

describe('canonicalLocation', () => {
  const cases = [
    ['/console?tab=1', 'https://api.example.com/console?tab=1'],
    ['//evil.example', 'https://api.example.com/'],
    ['/\\evil.example', 'https://api.example.com/'],
    ['/\t/evil.example', 'https://api.example.com/'],
    ['/a\\b', 'https://api.example.com/'],
    ['https://evil.example/', 'https://api.example.com/'],
    ['javascript:alert(1)', 'https://api.example.com/'],
    ['/a\r\nset-cookie: x', 'https://api.example.com/'],
    ['', 'https://api.example.com/'],
  ] as const
  for (const [path, want] of cases) {
    it(`V3.7.2 sends ${JSON.stringify(path)} to ${want}`, () => {
      expect(canonicalLocation(origin, path)).toBe(want)
    })
  }
})
