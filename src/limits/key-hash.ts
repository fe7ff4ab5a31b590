import { assert } from '../base/index.ts'
import { sha256 } from '../crypto/index.ts'

const maxKeyChars = 256
const maxLatin1 = 0xff
// HalfSipHash-1-3: one round for each word, three at the end of each half.
const halfRounds = 3
const endRounds = 6

/**
 * The 64-bit keyed hash of a bucket's key, in two halves: HalfSipHash-1-3, as Linux has it for its own tables. Keyed,
 * because whoever sends the requests picks the keys: with a hash that can be computed outside, a few thousand names
 * that collide make every look-up a walk through all of them (hash flooding), or give an attacker the bucket of
 * somebody else.
 *
 * The hash stands for the key. Among a million keys of one class, the odds that any two share a bucket are 1 in 37
 * million (n² / 2^65); two that do are counted together, which refuses too much and never too little.
 *
 * @see https://github.com/veorq/SipHash
 */
export class KeyHash {
  /** The first half of what {@link read} has read last. */
  high = 0
  /** The second half. */
  low = 0
  readonly #narrow: readonly [number, number]
  readonly #wide: readonly [number, number]

  /** @param secret 16 bytes that nobody outside can guess. */
  constructor(secret: Buffer) {
    assert(secret.length === 16, 'a key hash has a key of 16 bytes')
    this.#narrow = [secret.readInt32LE(0), secret.readInt32LE(4)]
    this.#wide = [secret.readInt32LE(8), secret.readInt32LE(12)]
  }

  /** Hashes a key into `high` and `low`, which are never both 0. */
  read(key: string): void {
    // What is long is hashed by its digest: far cheaper for each character. No short key has as many of them.
    const text = key.length > maxKeyChars ? digestOf(key) : key
    if (!this.#hash(text, this.#narrow)) {
      // A text beyond latin1 is hashed as UTF-16, under another key: no two texts are the same message to one key.
      this.#hash(Buffer.from(text, 'utf16le').toString('latin1'), this.#wide)
    }
    if (this.high === 0 && this.low === 0) this.low = 1
  }

  /** One byte for each character. @returns whether all characters are one byte */
  #hash(text: string, [k0, k1]: readonly [number, number]): boolean {
    const { length } = text
    let v0 = k0
    let v1 = k1 ^ 0xee
    let v2 = 0x6c796765 ^ k0
    let v3 = 0x74656462 ^ k1
    let seen = 0
    let high = 0
    // The last word has what is left of the text, and the length.
    for (let at = 0; at <= length; at += 4) {
      let word = 0
      if (at + 4 <= length) {
        const a = text.charCodeAt(at)
        const b = text.charCodeAt(at + 1)
        const c = text.charCodeAt(at + 2)
        const d = text.charCodeAt(at + 3)
        seen |= a | b | c | d
        word = a | (b << 8) | (c << 16) | (d << 24)
      } else {
        word = length << 24
        for (let rest = at; rest < length; rest++) {
          const code = text.charCodeAt(rest)
          seen |= code
          word |= code << ((rest - at) * 8)
        }
      }
      v3 ^= word
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= word
    }
    v2 ^= 0xee
    for (let round = 0; round < endRounds; round++) {
      if (round === halfRounds) {
        high = v1 ^ v3
        v1 ^= 0xdd
      }
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    this.high = high
    this.low = v1 ^ v3
    return seen <= maxLatin1
  }
}

function digestOf(key: string): string {
  const digest = sha256(key).toString('hex')
  return digest.padEnd(maxKeyChars + 1)
}
