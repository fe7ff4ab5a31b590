import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { oneKey } from '../../test/kit/signing.ts'
import { sha256 } from '../crypto/index.ts'
import { accessTokens } from './access-tokens.ts'

const folder = new URL('../../test/vectors/', import.meta.url)
const name = 'json_web_signature_test.json'

const File = z.object({
  numberOfTests: z.number(),
  testGroups: z.array(
    z.object({ tests: z.array(z.object({ tcId: z.number(), jws: z.unknown(), result: z.string() })) }),
  ),
})

// The primitive has its vectors in src/crypto; here is the policy. None of these is an access token of ours: the
// invalid ones must never be taken, and the valid ones are of algorithms that we do not take from anybody.
it('V9.1.1 V9.1.2 takes no signature of the Wycheproof set', () => {
  const bytes = readFileSync(new URL(name, folder))
  expect(readFileSync(new URL('README.md', folder), 'utf8')).toContain(sha256(bytes).toString('hex'))
  const file = File.parse(JSON.parse(bytes.toString()))
  const tests = file.testGroups.flatMap((group) => group.tests)
  expect(tests).toHaveLength(file.numberOfTests)
  const tokens = accessTokens(oneKey().keys, { origin: () => 'https://notes.example.com' })
  for (const { tcId, jws } of tests) {
    const text = typeof jws === 'string' ? jws : JSON.stringify(jws)
    expect(tokens.verify(text), `test ${tcId}`).toBeNull()
  }
})
