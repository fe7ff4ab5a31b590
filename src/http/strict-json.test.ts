import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Problem } from '../errors/index.ts'
import { parseStrictJson } from './strict-json.ts'

const limits = { depthCount: 32, keyCount: 1_000, elementCount: 10_000 }

function parse(text: string | Uint8Array): unknown {
  return parseStrictJson(typeof text === 'string' ? Buffer.from(text) : text, limits)
}

/** The value, or the reason of the refusal. */
function outcome(text: string | Uint8Array): { readonly value: unknown } | { readonly refused: string } {
  try {
    return { value: parse(text) }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    expect(error.code).toBe('JSON_REFUSED')
    return { refused: error.reason }
  }
}

// The matchers of the test runner take a key named `constructor` for the constructor.
function expectSame(found: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(found, wanted)) expect(JSON.stringify(found)).toBe(JSON.stringify(wanted))
}

describe('parseStrictJson refuses', () => {
  const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
    ['an empty body', '', 'empty body'],
    ['white space only', ' \n', 'syntax'],
    ['a byte-order mark', '\ufeff{}', 'byte-order mark'],
    ['broken UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'not UTF-8'],
    ['a surrogate in UTF-8', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), 'not UTF-8'],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le'), 'syntax'],
    ['a repeated key', '{"a":1,"b":{"a":1},"a":2}', 'repeated key'],
    ['a repeated key behind an escape', '{"role":"user","r\\u006fle":"admin"}', 'repeated key'],
    ['a repeated empty key', '{"":1,"":2}', 'repeated key'],
    ['__proto__', '{"a":[{"__proto__":{"x":1}}]}', 'prototype key'],
    ['__proto__ behind an escape', '{"__pr\\u006fto__":1}', 'prototype key'],
    ['constructor.prototype', '{"constructor":{"a":1,"prototype":{}}}', 'prototype key'],
    ['33 levels', '['.repeat(33) + ']'.repeat(33), 'nesting too deep'],
    ['33 levels of objects', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, 'nesting too deep'],
    ['levels without end', '['.repeat(900_000), 'nesting too deep'],
    ['1,001 keys', `{${Array.from({ length: 1_001 }, (_, i) => `"k${i}":1`).join()}}`, 'too many keys'],
    ['1,001 keys in all', `[${Array(1_001).fill('{"a":1}').join()}]`, 'too many keys'],
    ['10,001 elements', `[${Array(10_001).fill('1').join()}]`, 'too many elements'],
    [
      '10,001 elements in all',
      `[${Array(101)
        .fill(`[${Array(99).fill('""').join()}]`)
        .join()}]`,
      'too many elements',
    ],
    ['a lone high surrogate', '"\\ud800"', 'lone surrogate'],
    ['a lone low surrogate', '{"a":"x\\udc00"}', 'lone surrogate'],
    ['surrogates in the wrong order', '"\\udc00\\ud800"', 'lone surrogate'],
    ['a lone surrogate in a key', '{"\\ud800":1}', 'lone surrogate'],
    ['2^53', '9007199254740992', 'number out of range'],
    ['-2^53 in a list', '[-9007199254740992]', 'number out of range'],
    ['a large integer in exponent form', '{"a":1e300}', 'number out of range'],
    ['infinity', '1e999', 'number out of range'],
    ['NaN', 'NaN', 'syntax'],
    ['a comment', '{"a":1}//', 'syntax'],
    ['a trailing comma', '[1,]', 'syntax'],
    ['single quotes', "{'a':1}", 'syntax'],
    ['two values', '{} {}', 'syntax'],
    ['an open string', '"abc', 'syntax'],
    ['an open escape', '"abc\\', 'syntax'],
    ['a broken escape', '{"\\u12":1}', 'syntax'],
    ['a raw line feed in a string', '"a\nb"', 'syntax'],
    ['a leading zero', '01', 'syntax'],
    ['a lone minus', '-', 'syntax'],
    ['letters and signs', 'a@', 'syntax'],
    ['closing brackets', ']]]}', 'syntax'],
    ['another closing bracket', '[1}', 'syntax'],
  ]
  for (const [name, text, reason] of cases) {
    it(`V1.5.3 ${name}: ${reason}`, () => {
      expect(outcome(text)).toEqual({ refused: reason })
    })
  }

  it('V16.5.1 keeps the input out of the reason', () => {
    expect(JSON.stringify(outcome('{"canary-4f1c": canary-4f1c}'))).not.toContain('canary')
  })
})

describe('parseStrictJson accepts', () => {
  const texts = [
    '{}',
    ' [ ] ',
    '"\\ud83d\\ude00 😀 \\" \\\\ \\/ \\b"',
    '9007199254740991',
    '-9007199254740991',
    '-0',
    '0.1e-5',
    '1.5',
    'null',
    '[true,false,null]',
    '{"constructor":{"a":1},"prototype":1}',
    '{"constructor":[{"prototype":1}]}',
    '{"a":{"k":1},"b":{"k":1},"k":[{"k":1},{"k":2}]}',
    '{"a":"a","b":"a"}',
    '{"\\\\":1,"\\\\\\\\":2}',
    '['.repeat(32) + ']'.repeat(32),
    `{${Array.from({ length: 1_000 }, (_, i) => `"k${i}":1`).join()}}`,
    `[${Array(10_000).fill('1').join()}]`,
  ]
  for (const text of texts) {
    it(`V1.5.3 ${text.slice(0, 60)}`, () => {
      expectSame(outcome(text), { value: JSON.parse(text) })
    })
  }

  it('V1.5.3 whatever JSON.stringify writes, within the limits', () => {
    const number = fc.oneof(
      fc.maxSafeInteger(),
      fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e15, max: 1e15 }),
    )
    const text = fc.string({ unit: 'grapheme' })
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        number,
        text,
        fc.boolean(),
        fc.constant(null),
        tie('list'),
        tie('object'),
      ),
      list: fc.array(tie('any'), { maxLength: 5 }),
      object: fc.dictionary(text, tie('any'), { maxKeys: 5 }),
    })).any
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, '\t'), (input, space) => {
        const written = JSON.stringify(input, null, space)
        const wanted: unknown = JSON.parse(written)
        if (/"(?:__proto__|prototype)"/.test(written)) return
        expectSame(outcome(written), { value: wanted })
      }),
      { numRuns: 500 },
    )
  })

  it('V1.5.3 nothing that JSON.parse refuses, and never with another value', () => {
    const pieces = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '\\',
        '"a"',
        '"b":',
        '"\\u0061":',
        '1',
        '-',
        '.5',
        'e9',
        'true',
        'nul',
        ' ',
        '\n',
      ],
      ...['"\\ud800"', '"__proto__":', '9007199254740993', '\u2028', '\u0000', "'", '//'],
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
        const text = parts.join('')
        const found = outcome(text)
        let wanted: unknown
        try {
          wanted = JSON.parse(text)
        } catch {
          expect(found).toHaveProperty('refused')
          return
        }
        if ('value' in found) expectSame(found.value, wanted)
        else expect(found.refused).not.toBe('syntax')
      }),
      { numRuns: 20_000 },
    )
  })

  it('V1.5.3 finds a repeated key wherever it stands and however it is written', () => {
    const spelling = (key: string, isEscaped: boolean): string =>
      isEscaped
        ? `"${[...key].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
        : JSON.stringify(key)
    const members = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', ''), fc.boolean()), {
      maxLength: 4,
    })
    fc.assert(
      fc.property(members, fc.nat(5), (list, levels) => {
        const object = `{${list.map(([key, isEscaped]) => `${spelling(key, isEscaped)}:{"a":1}`).join()}}`
        const text = `${'{"x":['.repeat(levels)}${object}${']}'.repeat(levels)}`
        const hasTwin = new Set(list.map(([key]) => key)).size < list.length
        expect(outcome(text)).toStrictEqual(
          hasTwin ? { refused: 'repeated key' } : { value: JSON.parse(text) },
        )
      }),
    )
  })

  it('V15.2.2 a mebibyte of anything in linear time', () => {
    const startMs = performance.now()
    for (const unit of ['\\', '"', '\\"', '\\u0061', '1', '{"', '[[', '"a":', ',', ' '])
      outcome(unit.repeat(2 ** 20 / unit.length))
    outcome(`"${'\\\\'.repeat(2 ** 19)}"`)
    expect(performance.now() - startMs).toBeLessThan(2_000)
  })
})
