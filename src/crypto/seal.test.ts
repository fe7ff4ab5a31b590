import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Secret } from '../base/index.ts'
import { openWith, sealWith } from './seal.ts'

const key = new Secret(Buffer.alloc(32, 7))
const place = Buffer.from('a place')
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))

describe('sealing', () => {
  it('V11.3.2 gives back what was sealed, of any length', () => {
    fc.assert(
      fc.property(bytes(300), bytes(40), (plaintext, additionalData) => {
        const sealed = sealWith(key, plaintext, additionalData)
        expect(sealed).toHaveLength(12 + plaintext.length + 16)
        expect(openWith(key, sealed, additionalData)).toEqual(plaintext)
      }),
    )
  })

  it('V11.3.3 does not open when any one bit was changed', () => {
    const sealed = sealWith(key, Buffer.from('plaintext'), place)
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(openWith(key, changed, place), `bit ${bit}`).toBeNull()
    }
  })

  it('V11.3.3 does not open when it was cut short or made longer, down to nothing', () => {
    const sealed = sealWith(key, Buffer.from('plaintext'), place)
    for (let length = 0; length < sealed.length; length++) {
      expect(openWith(key, sealed.subarray(0, length), place)).toBeNull()
      expect(openWith(key, sealed.subarray(sealed.length - length), place)).toBeNull()
    }
    expect(openWith(key, Buffer.concat([sealed, Buffer.alloc(1)]), place)).toBeNull()
  })

  it('V11.3.3 does not open under another key or with other additional data', () => {
    const sealed = sealWith(key, Buffer.from('plaintext'), place)
    expect(openWith(new Secret(Buffer.alloc(32, 8)), sealed, place)).toBeNull()
    expect(openWith(key, sealed, Buffer.from('another place'))).toBeNull()
    expect(openWith(key, sealed, Buffer.alloc(0))).toBeNull()
  })

  it('V11.3.4 uses a nonce once', () => {
    const nonces = new Set<string>()
    for (let count = 0; count < 10_000; count++)
      nonces.add(sealWith(key, Buffer.alloc(0), place).toString('hex', 0, 12))
    expect(nonces.size).toBe(10_000)
  })

  it('V11.2.3 takes 256-bit keys and no others', () => {
    for (const length of [0, 16, 24, 31, 33]) {
      const other = new Secret(Buffer.alloc(length))
      expect(() => sealWith(other, Buffer.alloc(1), place)).toThrow('32 bytes')
      expect(() => openWith(other, Buffer.alloc(40), place)).toThrow('32 bytes')
    }
  })
})
