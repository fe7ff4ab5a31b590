import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalEmail } from './email.ts'

describe('an e-mail address', () => {
  for (const [text, canonical] of [
    ['ann@example.com', 'ann@example.com'],
    ['Ann@EXAMPLE.com', 'ann@example.com'],
    ['a.b+c_d@mail.example.co.uk', 'a.b+c_d@mail.example.co.uk'],
    ["o'neil@xn--bcher-kva.example", "o'neil@xn--bcher-kva.example"],
    [`${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`],
  ] as const) {
    it(`has one spelling: ${text}`, () => expect(canonicalEmail(text)).toBe(canonical))
  }

  const refused = [
    '',
    '@',
    'ann',
    'ann@',
    '@example.com',
    'ann@example',
    'ann@@example.com',
    'ann@example.com,ben@example.com',
    'ann@example.com;ben@example.com',
    'ann@example.com ben@example.com',
    'ann@example.com\nbcc: ben@example.com',
    'ann@example.com\r\n',
    ' ann@example.com',
    'ann@example.com ',
    'Ann <ann@example.com>',
    '<ann@example.com>',
    '"ann"@example.com',
    'ann(comment)@example.com',
    'ann@[127.0.0.1]',
    'ann@127.0.0.1',
    'ann@example.123',
    'ann.@example.com',
    '.ann@example.com',
    'a..n@example.com',
    'ann@-example.com',
    'ann@example-.com',
    'ann@.example.com',
    'ann@example..com',
    'ann@example.com.',
    'ann＠example.com',
    'ann@exаmple.com',
    'änn@example.com',
    'ann@bücher.example',
    'ann\u0000@example.com',
    'ann@example.com\u0000',
    `${'a'.repeat(65)}@example.com`,
    `ann@${'a'.repeat(64)}.com`,
    `a@${'b.'.repeat(130)}com`,
    '\u212a@example.com',
  ]
  for (const text of refused) {
    it(`V2.2.1 is not ${JSON.stringify(text).slice(0, 60)}`, () => expect(canonicalEmail(text)).toBeNull())
  }

  it('V1.1.1 is its own canonical form, whatever was sent', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.emailAddress(), fc.string({ unit: 'binary' }), fc.constant('A@B.co')),
        (text) => {
          const canonical = canonicalEmail(text)
          if (canonical === null) return
          expect(canonicalEmail(canonical)).toBe(canonical)
          expect(canonical).toMatch(/^[\x21-\x7e]+$/)
          expect(canonical.split('@')).toHaveLength(2)
        },
      ),
    )
  })
})
