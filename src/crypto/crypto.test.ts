import { describe, expect, it } from 'vitest'
import { Secret } from '../base/index.ts'
import { deriveKey, equalConstantTime, mac, randomToken, sha256 } from './index.ts'

const root = new Secret(Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 7 + 3) % 251)))

describe('deriveKey', () => {
  it('V11.2.3 gives 32 bytes, the same each time', () => {
    expect(deriveKey(root, 'cursor').reveal()).toHaveLength(32)
    expect(deriveKey(root, 'cursor').reveal()).toEqual(deriveKey(root, 'cursor').reveal())
  })

  it('V9.2.2 gives every purpose a key of its own, and none is the root', () => {
    const cursor = deriveKey(root, 'cursor').reveal()
    const identity = deriveKey(root, 'development-identity').reveal()
    expect(cursor.equals(identity)).toBe(false)
    expect(cursor.equals(root.reveal())).toBe(false)
  })

  it('refuses a root of another length', () => {
    expect(() => deriveKey(new Secret(Buffer.alloc(31)), 'cursor')).toThrow('32 bytes')
  })

  it('V16.2.5 never prints a key', () => {
    const key = deriveKey(root, 'cursor')
    expect(`${key} ${JSON.stringify({ key })}`).toBe('[secret] {"key":"[secret]"}')
  })
})

describe('randomToken', () => {
  it('V11.5.1 refuses fewer than 128 bits', () => {
    expect(() => randomToken(15)).toThrow('16 to 1,024')
    expect(() => randomToken(Number.NaN)).toThrow('16 to 1,024')
  })

  it('V11.5.1 never repeats and is safe in a URL', () => {
    const tokens = new Set(Array.from({ length: 1000 }, () => randomToken(16)))
    expect(tokens.size).toBe(1000)
    for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9_-]{22}$/)
  })
})

describe('equalConstantTime', () => {
  const cases = [
    { a: 'abc', b: 'abc', want: true },
    { a: 'abc', b: 'abd', want: false },
    { a: 'abc', b: 'ab', want: false },
    { a: '', b: '', want: true },
    { a: '', b: '\0', want: false },
    { a: Buffer.from('abc'), b: 'abc', want: true },
  ] as const
  for (const { a, b, want } of cases) {
    it(`V11.2.4 compares ${JSON.stringify(a)} and ${JSON.stringify(b)} of any length: ${want}`, () => {
      expect(equalConstantTime(a, b)).toBe(want)
    })
  }
})

it('hashes and authenticates text as UTF-8', () => {
  expect(sha256('').toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(mac(root, 'é')).toEqual(mac(root, Buffer.from([0xc3, 0xa9])))
})
