import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { sha256 } from '../crypto/index.ts'
import { KeyHash } from './key-hash.ts'

// HalfSipHash-2-4 with 64 bits of output, under the key 00 01 … 07, of the messages 00 01 … of 0 to 63 bytes.
const vectors = readFileSync(new URL('../../test/vectors/half_sip_hash.json', import.meta.url))
const vectorsSum = '75779a468b10aab7ef36dead6330a03f97467022016cbd8216efbd803763ce3c'
const secret = Buffer.from(Array.from({ length: 16 }, (_, index) => index))

function hashOf(text: string, key = secret): string {
  const hash = new KeyHash(key)
  hash.read(text)
  const out = Buffer.alloc(8)
  out.writeInt32LE(hash.high, 0)
  out.writeInt32LE(hash.low, 4)
  return out.toString('hex')
}

/** HalfSipHash over bytes as the reference implementation has it, for any number of rounds. */
function reference(message: Buffer, key: Buffer, wordRounds: number, endRounds: number): string {
  const words = new Uint32Array([0, 0, 0x6c796765, 0x74656462])
  const at = (index: number): number => words[index] ?? 0
  const rotate = (index: number, by: number): void => {
    words[index] = (at(index) << by) | (at(index) >>> (32 - by))
  }
  const mix = (to: number, from: number, by: number): void => {
    words[to] = at(to) + at(from)
    rotate(from, by)
    words[from] = at(from) ^ at(to)
  }
  const round = (): void => {
    mix(0, 1, 5)
    rotate(0, 16)
    mix(2, 3, 8)
    mix(0, 3, 7)
    mix(2, 1, 13)
    rotate(2, 16)
  }
  const rounds = (count: number): void => {
    for (let index = 0; index < count; index++) round()
  }
  for (const index of [0, 1, 2, 3]) words[index] = at(index) ^ key.readUInt32LE((index % 2) * 4)
  words[1] = at(1) ^ 0xee
  const padded = Buffer.alloc((message.length >> 2) * 4 + 4)
  message.copy(padded)
  padded[padded.length - 1] = message.length & 0xff
  for (let from = 0; from < padded.length; from += 4) {
    const word = padded.readUInt32LE(from)
    words[3] = at(3) ^ word
    rounds(wordRounds)
    words[0] = at(0) ^ word
  }
  const out = Buffer.alloc(8)
  words[2] = at(2) ^ 0xee
  rounds(endRounds)
  out.writeUInt32LE((at(1) ^ at(3)) >>> 0, 0)
  words[1] = at(1) ^ 0xdd
  rounds(endRounds)
  out.writeUInt32LE((at(1) ^ at(3)) >>> 0, 4)
  return out.toString('hex')
}

describe('V15.2.2 the hash of keys', () => {
  it('is HalfSipHash: the reference gives the published vectors, and it gives what the reference does', () => {
    expect(sha256(vectors).toString('hex')).toBe(vectorsSum)
    const published = z
      .array(z.string())
      .length(64)
      .parse(JSON.parse(vectors.toString('utf8')))
    for (const [length, expected] of published.entries()) {
      const message = Buffer.from(Array.from({ length }, (_, index) => index))
      expect(reference(message, secret, 2, 4)).toBe(expected)
      expect(hashOf(message.toString('latin1'))).toBe(reference(message, secret, 1, 3))
    }
    const bytes = fc.uint8Array({ maxLength: 256 })
    const keys = fc.uint8Array({ minLength: 16, maxLength: 16 })
    fc.assert(
      fc.property(bytes, keys, (message, key) => {
        const text = Buffer.from(message).toString('latin1')
        expect(hashOf(text, Buffer.from(key))).toBe(reference(Buffer.from(message), Buffer.from(key), 1, 3))
      }),
    )
  })

  it('V15.2.2 depends on a secret, so that nobody can compute which keys meet', () => {
    const seen = new Set<string>()
    for (let bit = 0; bit < 64; bit++) {
      const other = Buffer.from(secret)
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      seen.add(hashOf('address:203.0.113.9', other))
    }
    expect(seen.size).toBe(64)
    // Those beyond latin1 have the other half of the secret.
    const other = Buffer.from(secret)
    other[8] = 0xff
    expect(hashOf('account:日')).not.toBe(hashOf('account:日', other))
    expect(() => new KeyHash(Buffer.alloc(8))).toThrow('16 bytes')
  })

  it('V2.4.1 keeps texts of different alphabets and lengths apart', () => {
    const texts = [
      '',
      'a',
      'a\0',
      '\0',
      '\0\0',
      'å',
      '日',
      '日\0',
      'e\u0301',
      'é',
      '\ud800',
      '\ud801',
      '\ufffd',
    ]
    for (const length of [255, 256, 257, 258, 100_000])
      texts.push('x'.repeat(length), ` ${'x'.repeat(length)}`)
    texts.push(Buffer.from('日', 'utf16le').toString('latin1'))
    expect(new Set(texts.map((text) => hashOf(text))).size).toBe(texts.length)
  })

  it('spreads neighbours evenly over both halves', () => {
    const hash = new KeyHash(secret)
    const high = new Uint32Array(256)
    const low = new Uint32Array(256)
    const count = 100_000
    for (let index = 0; index < count; index++) {
      hash.read(`address:10.0.${index >> 8}.${index & 255}`)
      const [first, last] = [hash.high >>> 24, hash.low & 255]
      high[first] = (high[first] ?? 0) + 1
      low[last] = (low[last] ?? 0) + 1
    }
    // 390 each; the standard deviation is 20.
    for (const counts of [high, low]) {
      expect(Math.min(...counts)).toBeGreaterThan(290)
      expect(Math.max(...counts)).toBeLessThan(490)
    }
  })
})
