import { readFileSync } from 'node:fs'

/** The file of the big list of naughty strings. */
export const naughtyFile: URL = new URL('../vectors/blns.json', import.meta.url)

/** The big list of naughty strings. */
export const naughtyStrings: readonly string[] = textsOf(JSON.parse(readFileSync(naughtyFile, 'utf8')))

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : []
}

/** More texts, for what a JSON API, SQLite and this router could stumble over. */
export const awkwardStrings: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '%00',
  '%',
  '%zz',
  '%c0%af',
  '..',
  '../../etc/passwd',
  '..%2f..%2f',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  "' OR '1'='1",
  "'; DROP TABLE notes; --",
  '" OR ""="',
  '*',
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  'NaN',
  'true',
  'null',
  'undefined',
  '[object Object]',
  '\ud800',
  '\u202e',
  '\ufeff',
  '\r\nSet-Cookie: a=b',
  '{"$ne":null}',
  '#{7*7}',
  '{{7*7}}',
  '=cmd|calc',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  'a'.repeat(250),
  'é'.repeat(250),
  '/'.repeat(60),
]

/** A value inside so many arrays. */
function nested(depthCount: number, value: unknown): unknown {
  let outer = value
  for (let depth = 0; depth < depthCount; depth++) outer = [outer]
  return outer
}

/** JSON values of every type and of sizes around the limits. */
export const awkwardValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  5e-324,
  [],
  [null],
  {},
  { toJSON: 'x' },
  { constructor: { name: 'x' } },
  { valueOf: 1 },
  { length: 1e9 },
  JSON.parse('{"then":"x"}'),
  ['a', ['b', { c: [] }]],
  nested(31, 0),
  nested(33, 0),
  nested(500, 0),
  'a'.repeat(201),
  'a'.repeat(20_001),
  'a'.repeat(900_000),
  Array.from({ length: 9_999 }, () => 0),
  Array.from({ length: 10_001 }, () => 0),
  Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`k${index}`, index])),
]

/** A text as a part of a path or query; a lone surrogate becomes the bytes that no UTF-8 has. */
export function escaped(text: string): string {
  return text
    .split(/([\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff])/)
    .map((part, index) => (index % 2 === 1 ? '%ED%A0%80' : encodeURIComponent(part)))
    .join('')
}

/** A text as the value of a header field, as far as a client can send it; control characters have their own tests. */
export function asField(text: string): string {
  // Byte by byte, as a client would that knows no better.
  return [...Buffer.from(text, 'utf8')]
    .filter((byte) => byte === 9 || (byte >= 32 && byte !== 127))
    .map((byte) => String.fromCharCode(byte))
    .join('')
    .trim()
}
