import { describe, expect, it } from 'vitest'
import {
  isLoopback,
  parseAllowedRange,
  parseHost,
  parseOrigin,
  parsePort,
  parseProxyRange,
} from './network.ts'
import { listOf, type Parser } from './setting.ts'

function check<T>(title: string, parse: Parser<T>, good: readonly string[], bad: readonly string[]): void {
  describe(title, () => {
    for (const text of good)
      it(`takes ${JSON.stringify(text)}`, () => expect(parse(text)).toMatchObject({ ok: true }))
    for (const text of bad)
      it(`refuses ${JSON.stringify(text)}`, () => expect(parse(text)).toMatchObject({ ok: false }))
  })
}

check(
  'HOST',
  parseHost,
  ['127.0.0.1', '0.0.0.0', '::', '::1', 'fe80::1%eth0', 'localhost', 'api-1.internal.example'],
  [
    '',
    '[::1]',
    '127.0.0.1:3000',
    'http://x',
    'a b',
    '-a',
    'a-',
    'a..b',
    '1.2.3',
    '256.0.0.1',
    'x'.repeat(64),
    '/tmp/sock',
  ],
)

check(
  'PORT',
  parsePort,
  ['0', '1', '3000', '65535'],
  ['', '-1', '65536', '080', '3e3', '0x50', '3000.0', ' 80', '１'],
)

check(
  'V3.4.2 an origin is exact',
  parseOrigin,
  [
    'https://app.example.com',
    'http://localhost:5173',
    'https://[2001:db8::1]:8443',
    'https://xn--bcher-kva.example',
  ],
  [
    '*',
    'null',
    '',
    'https://*.example.com',
    'https://app.example.com/',
    'https://app.example.com/path',
    'https://app.example.com?',
    'https://app.example.com#',
    'https://user@app.example.com',
    'https://app.example.com:443',
    'http://app.example.com:80',
    'https://APP.example.com',
    'HTTPS://app.example.com',
    'https://bücher.example',
    'https:app.example.com',
    'https://127.1',
    'ftp://app.example.com',
    'file:///etc',
    'data:text/html,x',
    'app.example.com',
    '//app.example.com',
  ],
)

check(
  'V4.1.3 a proxy range holds proxies only',
  parseProxyRange,
  ['10.0.0.0/8', '192.168.1.7', '192.168.1.7/32', '::1', 'fd00::/8', 'fc00::/7', '2001:db8::/128'],
  [
    '0.0.0.0/0',
    '::/0',
    '0.0.0.0/1',
    '128.0.0.0/1',
    '0.0.0.0/7',
    '8000::/1',
    '::ffff:0:0/96',
    '::ffff:10.0.0.0/104',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0/8',
    'fe80::1%eth0',
    '::1/129',
    'loopback',
    '*',
    '',
  ],
)

check(
  'V8.2.4 an allow list does not hold everybody',
  parseAllowedRange,
  ['10.0.0.0/8', '192.168.1.7', '2001:db8::/32', '::1'],
  ['0.0.0.0/0', '::/0', '128.0.0.0/1', '2000::/3', '::ffff:10.0.0.1', '10.0.0.0/33', 'office', ''],
)

check(
  'a list',
  listOf(parsePort, 3),
  ['1', '1,2', '1, 2 ,3'],
  ['', ',', '1,', ',1', '1,,2', '1,x', '1,2,3,4', '1;2'],
)

describe('V12.2.1 isLoopback', () => {
  const cases = [
    ['localhost', true],
    ['api.localhost', true],
    ['127.0.0.1', true],
    ['127.255.0.9', true],
    ['::1', true],
    ['[::1]', true],
    ['128.0.0.1', false],
    ['0.0.0.0', false],
    ['[::2]', false],
    ['localhost.example.com', false],
    ['notlocalhost', false],
    ['127.0.0.1.example.com', false],
  ] as const
  for (const [host, want] of cases) it(`${host}: ${want}`, () => expect(isLoopback(host)).toBe(want))
})
