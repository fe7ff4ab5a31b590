import { createLocalJWKSet, jwtVerify } from 'jose'
import { assert } from '../src/base/index.ts'
import { accessTokens } from '../src/tokens/index.ts'
import { oneKey } from '../test/kit/signing.ts'
import { median, tableText } from './figures.ts'

// What a request pays for its token: the first one that brings it, and every one after. Beside it the usual library.

const tokenCount = 2_000
const roundCount = 7
const origin = 'https://notes.example.com'
const tokens = accessTokens(oneKey().keys, { origin: () => origin, cacheMaxCount: tokenCount * 2 })
const grant = { sub: 'user-1', sid: 'session-1', ver: 3, roles: ['editor'], amr: ['pwd'], authTimeSeconds: 0 }
const keys = createLocalJWKSet({ keys: tokens.jwks().keys.map((key) => ({ ...key })) })

const firsts: number[] = []
const agains: number[] = []
const peers: number[] = []
const signs: number[] = []
for (let round = 0; round < roundCount; round++) {
  const made: string[] = []
  signs.push(
    microseconds(tokenCount, () => {
      for (let count = 0; count < tokenCount; count++) made.push(tokens.sign(grant).token)
    }),
  )
  // As from the network: a text that was put together, not the very one that was signed.
  const sent = made.map((token) => Buffer.from(token).toString('latin1'))
  firsts.push(microseconds(tokenCount, () => sent.forEach(mustVerify)))
  agains.push(
    microseconds(tokenCount * 20, () => {
      for (let count = 0; count < 20; count++) sent.forEach(mustVerify)
    }),
  )
  const startMs = performance.now()
  for (const token of sent.slice(0, 300)) await jwtVerify(token, keys, { issuer: origin, audience: origin })
  peers.push(((performance.now() - startMs) * 1_000) / 300)
}

function mustVerify(token: string): void {
  assert(tokens.verify(token)?.sub === 'user-1', 'our own token is good')
}

function microseconds(count: number, run: () => void): number {
  const startMs = performance.now()
  run()
  return ((performance.now() - startMs) * 1_000) / count
}

const text = (values: readonly number[]): string => `${median(values).toFixed(2)} µs`
process.stdout.write(
  tableText([
    ['one access token', 'median'],
    ['signed', text(signs)],
    ['verified for the first time', text(firsts)],
    ['verified again', text(agains)],
    ['verified by jose', text(peers)],
  ]),
)
