import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Secret } from '../base/index.ts'
import { Problem } from '../errors/index.ts'
import { unguessableBytes } from './random.ts'
import {
  blindIndex,
  blindIndexes,
  type DataKey,
  type KeyRing,
  keyIdOf,
  openField,
  type Place,
  sealField,
} from './vault.ts'

const first: DataKey = { id: 'aaaaaaaa', key: new Secret(unguessableBytes(32)) }
const second: DataKey = { id: 'bbbbbbb2', key: new Secret(unguessableBytes(32)) }

function ringOf(...keys: readonly [DataKey, ...DataKey[]]): KeyRing {
  return { active: keys[0], keys, byId: (id) => keys.find((key) => key.id === id) }
}

const ring = ringOf(first)
const place: Place = { table: 'patients', column: 'name', row: '1' }
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.integer(),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
  fc.boolean(),
  fc.constantFrom('', '\ud800', '\u0000', 'null', 'é', 'e\u0301'),
)
const name = fc.string({ maxLength: 12 })
const anyPlace = fc.record({ table: name, column: name, row: name })

/** The reason of the refusal; fails when there is none. */
function refusal(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof Problem && error.code === 'INTERNAL') return error.reason
    throw error
  }
  return expect.unreachable('it opened')
}

describe('encrypted fields', () => {
  it('V11.3.2 come back as they were, with their type', () => {
    fc.assert(
      fc.property(anyPlace, value, (where, given) => {
        const text = sealField(ring, where, given)
        expect(text).toMatch(/^hf1\.aaaaaaaa\.[A-Za-z0-9_-]{39,}$/)
        expect(openField(ring, where, text)).toBe(given)
      }),
    )
  })

  it('V11.3.3 do not open at any other place, also where the boundary of names is moved', () => {
    const text = sealField(ring, place, 'Ada')
    fc.assert(
      fc.property(anyPlace, (other) => {
        fc.pre(JSON.stringify(other) !== JSON.stringify(place))
        expect(refusal(() => openField(ring, other, text))).toContain('does not open')
      }),
    )
    for (const other of [
      { ...place, row: '2' },
      { ...place, column: 'city' },
      { ...place, table: 'doctors' },
      { table: 'patient', column: 'sname', row: '1' },
      { table: 'patients', column: 'name1', row: '' },
      { table: 'name', column: 'patients', row: '1' },
    ])
      expect(refusal(() => openField(ring, other, text))).toContain('does not open')
  })

  it('V11.3.3 do not open when any one character was changed, added or taken away', () => {
    const text = sealField(ring, place, 'Ada')
    for (let at = 0; at < text.length; at++) {
      for (const other of ['A', 'B', '.', '=', ' ', 'é', '']) {
        const changed = `${text.slice(0, at)}${other}${text.slice(at + 1)}`
        if (changed !== text) refusal(() => openField(ring, place, changed))
      }
      refusal(() => openField(ring, place, text.slice(0, at)))
    }
    for (const changed of [`${text}=`, `${text}A`, `${text}\n`, ` ${text}`, `\u0000${text}`])
      refusal(() => openField(ring, place, changed))
  })

  it('V11.3.3 have one spelling: spare bits of the last character do not count as the same text', () => {
    // "Ada" as JSON makes 33 bytes, which leave none; "Ad" makes 32, which leave two.
    const text = sealField(ring, place, 'Ad')
    const last = text.at(-1) ?? ''
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const twin = `${text.slice(0, -1)}${alphabet[alphabet.indexOf(last) + 1] ?? ''}`
    expect(Buffer.from(twin.slice(13), 'base64url')).toEqual(Buffer.from(text.slice(13), 'base64url'))
    expect(refusal(() => openField(ring, place, twin))).toContain('format')
  })

  it('V11.3.3 do not open under another key, nor under the same id with other bytes', () => {
    const text = sealField(ring, place, 'Ada')
    const other = ringOf({ id: first.id, key: second.key })
    expect(refusal(() => openField(other, place, text))).toContain('does not open')
    expect(refusal(() => openField(ringOf(second), place, text))).toContain('key aaaaaaaa')
    const renamed = text.replace('aaaaaaaa', 'bbbbbbb2')
    expect(refusal(() => openField(ringOf(first, second), place, renamed))).toContain('does not open')
    // The id is authenticated by itself, not only by way of the key: the same bytes under two ids.
    const twins = ringOf(first, { id: second.id, key: first.key })
    expect(refusal(() => openField(twins, place, renamed))).toContain('does not open')
  })

  it('V11.2.2 open under a key that no longer seals', () => {
    const text = sealField(ring, place, 'Ada')
    const rotated = ringOf(second, first)
    expect(openField(rotated, place, text)).toBe('Ada')
    expect(keyIdOf(sealField(rotated, place, 'Ada'))).toBe('bbbbbbb2')
  })

  it('V11.3.4 never look the same twice', () => {
    const texts = new Set<string>()
    for (let count = 0; count < 10_000; count++) texts.add(sealField(ring, place, 'same'))
    expect(texts.size).toBe(10_000)
  })

  it('V16.2.5 are refused without a word about the value or the text', () => {
    const reason = refusal(() => openField(ring, place, 'Ada Lovelace, in the clear'))
    expect(reason).toBe('"patients.name" is not in the format of an encrypted value')
    for (const text of ['', 'hf1', 'hf1..', 'hf2.aaaaaaaa.AAAA', 'hf1.AAAAAAAA.AAAA', 'hf1.aaaaaaaa.'])
      expect(refusal(() => openField(ring, place, text))).toContain('format')
    expect(refusal(() => openField(ring, place, 'hf1.aaaaaaaa.AAAA'))).toContain('does not open')
  })

  it('V2.2.1 refuse what they could not give back', () => {
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(refusal(() => sealField(ring, place, number))).toContain('finite')
      expect(refusal(() => blindIndex(first, 'patients', 'name', number))).toContain('finite')
    }
  })

  it('take keys of rows of any length', () => {
    const long = { ...place, row: 'r'.repeat(5000) }
    expect(openField(ring, long, sealField(ring, long, 'Ada'))).toBe('Ada')
  })

  it('tell under which key they are, without opening', () => {
    expect(keyIdOf(sealField(ring, place, 1))).toBe('aaaaaaaa')
    for (const text of ['', 'Ada', 'hf1.aaaaaaa.AAAA', 'hf1.aaaaaaaa.A A', 'hf2.aaaaaaaa.AAAA'])
      expect(keyIdOf(text)).toBeNull()
  })
})

describe('the format', () => {
  // Computed from the description in docs/guide/encryption.md with Python's hmac and cryptography, not with this code.
  const key: DataKey = {
    id: 'aaaaaaaa',
    key: new Secret(Buffer.from(Array.from({ length: 32 }, (_, byte) => byte))),
  }

  it('V11.2.2 V11.3.4 stays: what is in the databases opens, under a key of its own for each cell', () => {
    const text = 'hf1.aaaaaaaa.ZGVmZ2hpamtsbW5vF0pzp1jbq4D-2qYIHRFzXCwv2SZTyE6l'
    expect(openField(ringOf(key), place, text)).toBe('Ada é')
  })

  it('V11.2.2 stays: blind indexes in the databases are found', () => {
    expect(blindIndex(key, 'patients', 'name', 'Ada é')).toBe('aaaaaaaa.HCakjzFl7akt4k79RGDE9Q')
  })
})

describe('blind indexes', () => {
  it('V11.2.3 are the same for the same value, 128 bits, and name their key', () => {
    fc.assert(
      fc.property(value, (given) => {
        const index = blindIndex(first, 'patients', 'name', given)
        expect(index).toBe(blindIndex(first, 'patients', 'name', given))
        expect(index).toMatch(/^aaaaaaaa\.[A-Za-z0-9_-]{22}$/)
      }),
    )
  })

  it('V11.2.3 differ for two values, two columns, two tables, two keys', () => {
    const seen = new Set<string>()
    const values = ['a', 'A', 'é', 'e\u0301', '1', 1, true, 'true', '', ' ', '\ud800', '\ud801', '\ufffd']
    const places = [
      ['t', 'c'],
      ['t', 'd'],
      ['u', 'c'],
      ['tc', ''],
      ['', 'tc'],
    ] as const
    for (const key of [first, second])
      for (const [table, column] of places)
        for (const given of values) seen.add(blindIndex(key, table, column, given).slice(9))
    expect(seen.size).toBe(2 * places.length * values.length)
  })

  it('V11.2.2 are one for each live key during a rotation, that of the active one first', () => {
    expect(blindIndexes(ringOf(second, first), 't', 'c', 'x')).toEqual([
      blindIndex(second, 't', 'c', 'x'),
      blindIndex(first, 't', 'c', 'x'),
    ])
  })
})
