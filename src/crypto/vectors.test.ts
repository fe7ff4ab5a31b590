import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Secret } from '../base/index.ts'
import { equalConstantTime, hkdf, mac, sha256 } from './hash.ts'

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

describe('Wycheproof', () => {
  it('reads the very files that README.md names', () => {
    const readme = readFileSync(new URL('README.md', folder), 'utf8')
    for (const name of ['hkdf_sha256_test.json', 'hmac_sha256_test.json']) {
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
})
