import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Secret } from '../base/index.ts'
import { ed25519Verifier } from './ed25519.ts'
import { equalConstantTime, hkdf, mac, sha256 } from './hash.ts'
import { openWith } from './seal.ts'

const folder = new URL('../../test/vectors/', import.meta.url)
const result = z.enum(['valid', 'invalid'])
const hex = z.string().transform((text) => Buffer.from(text, 'hex'))

const HkdfFile = z.object({
  numberOfTests: z.number(),
  testGroups: z.array(
    z.object({
      tests: z.array(
        z.object({ tcId: z.number(), ikm: hex, salt: hex, info: hex, size: z.number(), okm: hex, result }),
      ),
    }),
  ),
})

const HmacFile = z.object({
  numberOfTests: z.number(),
  testGroups: z.array(
    z.object({
      tagSize: z.number(),
      tests: z.array(z.object({ tcId: z.number(), key: hex, msg: hex, tag: hex, result })),
    }),
  ),
})

const GcmFile = z.object({
  numberOfTests: z.number(),
  testGroups: z.array(
    z.object({
      keySize: z.number(),
      ivSize: z.number(),
      tagSize: z.number(),
      tests: z.array(
        z.object({ tcId: z.number(), key: hex, iv: hex, aad: hex, msg: hex, ct: hex, tag: hex, result }),
      ),
    }),
  ),
})

const Ed25519File = z.object({
  numberOfTests: z.number(),
  testGroups: z.array(
    z.object({
      publicKey: z.object({ pk: hex }),
      tests: z.array(z.object({ tcId: z.number(), msg: hex, sig: hex, result })),
    }),
  ),
})

describe('Wycheproof', () => {
  it('reads the very files that README.md names', () => {
    const readme = readFileSync(new URL('README.md', folder), 'utf8')
    for (const name of [
      'aes_gcm_test.json',
      'ed25519_test.json',
      'hkdf_sha256_test.json',
      'hmac_sha256_test.json',
    ]) {
      expect(readme).toContain(sha256(readFileSync(new URL(name, folder))).toString('hex'))
    }
  })

  it('V11.4.1 HKDF-SHA-256 gives every valid output and refuses every invalid size', () => {
    const file = HkdfFile.parse(JSON.parse(readFileSync(new URL('hkdf_sha256_test.json', folder), 'utf8')))
    const tests = file.testGroups.flatMap((group) => group.tests)
    expect(tests).toHaveLength(file.numberOfTests)
    for (const { tcId, ikm, salt, info, size, okm, result } of tests) {
      const derive = () => hkdf({ material: ikm, salt, info, byteCount: size }).toString('hex')
      if (result === 'valid') expect(derive(), `test ${tcId}`).toBe(okm.toString('hex'))
      else expect(derive, `test ${tcId}`).toThrow()
    }
  })

  it('V11.4.1 HMAC-SHA-256 accepts every valid tag and no modified one', () => {
    const file = HmacFile.parse(JSON.parse(readFileSync(new URL('hmac_sha256_test.json', folder), 'utf8')))
    const tests = file.testGroups.flatMap(({ tagSize, tests }) => tests.map((test) => ({ ...test, tagSize })))
    expect(tests).toHaveLength(file.numberOfTests)
    for (const { tcId, key, msg, tag, tagSize, result } of tests) {
      const made = mac(new Secret(key), msg).subarray(0, tagSize / 8)
      expect(equalConstantTime(made, tag), `test ${tcId}`).toBe(result === 'valid')
    }
  })

  it('V11.3.2 AES-GCM opens every valid ciphertext of its one configuration, and nothing else', () => {
    const file = GcmFile.parse(JSON.parse(readFileSync(new URL('aes_gcm_test.json', folder), 'utf8')))
    const tests = file.testGroups.flatMap(({ tests, ...sizes }) =>
      tests.map((test) => ({ ...test, ...sizes })),
    )
    expect(tests).toHaveLength(file.numberOfTests)
    const count = { opened: 0, refused: 0, otherNonce: 0, otherKey: 0 }
    for (const { tcId, key, iv, aad, msg, ct, tag, result, keySize, ivSize, tagSize } of tests) {
      expect(tagSize).toBe(128)
      const open = () => openWith(new Secret(key), Buffer.concat([iv, ct, tag]), aad)
      if (keySize !== 256) {
        // Holdfast has no smaller keys: asking for one is a bug of the caller.
        expect(open, `test ${tcId}`).toThrow('32 bytes')
        count.otherKey += 1
      } else if (ivSize !== 96) {
        // Nor other nonces; what is valid elsewhere is no sealed message here.
        expect(open(), `test ${tcId}`).toBeNull()
        count.otherNonce += 1
      } else if (result === 'valid') {
        expect(open()?.toString('hex'), `test ${tcId}`).toBe(msg.toString('hex'))
        count.opened += 1
      } else {
        expect(open(), `test ${tcId}`).toBeNull()
        count.refused += 1
      }
    }
    expect(count).toEqual({ opened: 39, refused: 27, otherNonce: 39, otherKey: 211 })
  })

  it('V11.2.1 Ed25519 takes every valid signature and refuses every other', () => {
    const file = Ed25519File.parse(JSON.parse(readFileSync(new URL('ed25519_test.json', folder), 'utf8')))
    let count = 0
    for (const { publicKey, tests } of file.testGroups) {
      const verify = ed25519Verifier(publicKey.pk)
      for (const { tcId, msg, sig, result } of tests) {
        expect(verify(msg, sig), `test ${tcId}`).toBe(result === 'valid')
        count += 1
      }
    }
    expect(count).toBe(file.numberOfTests)
  })
})
