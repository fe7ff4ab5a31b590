import { afterAll, beforeAll, expect, it } from 'vitest'
import { goodPassword, startAccounts } from '../kit/accounts.ts'
import type { NotesServer } from '../kit/notes-server.ts'

const pairCount = 60
// |z| above 4 comes by chance once in 16,000 runs when both are alike.
const alikeBelow = 4

let notes: NotesServer

beforeAll(async () => {
  notes = await startAccounts('sqlite')
  for (let index = 0; index < pairCount; index += 1) {
    const email = `known${index}@example.com`
    await notes.server.createAccount({ email, password: goodPassword, roles: [] })
  }
}, 60_000)
afterAll(() => notes.stop())

async function timeOf(path: string, body: unknown): Promise<number> {
  const startMs = performance.now()
  const { status } = await notes.ask('POST', path, { body })
  const tookMs = performance.now() - startMs
  expect([202, 401]).toContain(status)
  return tookMs
}

/** The z score of the Mann-Whitney U test: how surely one list is slower than the other, in standard deviations. */
function slowness(one: readonly number[], other: readonly number[]): number {
  let wins = 0
  for (const a of one) for (const b of other) wins += a > b ? 1 : a === b ? 0.5 : 0
  const product = one.length * other.length
  const deviation = Math.sqrt((product * (one.length + other.length + 1)) / 12)
  return (wins - product / 2) / deviation
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

async function compare(name: string, path: string, bodyFor: (email: string) => unknown): Promise<void> {
  const known: number[] = []
  const unknown: number[] = []
  for (let index = 0; index < pairCount; index += 1) {
    const pair = [
      { times: known, email: `known${index}@example.com` },
      { times: unknown, email: `nobody${index}@example.com` },
    ]
    // Which of the two is first changes, so that neither gets the warmer server.
    for (const { times, email } of index % 2 === 0 ? pair : pair.toReversed())
      times.push(await timeOf(path, bodyFor(email)))
  }
  const z = slowness(known, unknown)
  process.stdout.write(
    `${name}: known ${median(known).toFixed(2)} ms, unknown ${median(unknown).toFixed(2)} ms (medians of ` +
      `${pairCount}), z ${z.toFixed(2)}\n`,
  )
  expect(Math.abs(z)).toBeLessThan(alikeBelow)
}

it('tells two lists apart that differ by a little, and two alike not', () => {
  const base = Array.from({ length: pairCount }, (_, index) => 10 + Math.sin(index * 12.9898) * 2)
  expect(Math.abs(slowness(base, base.toReversed()))).toBeLessThan(0.1)
  expect(
    slowness(
      base.map((ms) => ms + 1.5),
      base,
    ),
  ).toBeGreaterThan(alikeBelow)
})

it('V6.3.8 the time of a login does not tell whether the address has an account', async () => {
  await compare('login', '/api/auth/login', (email) => ({ email, password: 'not the right one at all' }))
}, 60_000)

it('V6.3.8 nor does the time of asking for a new password', async () => {
  await compare('forgotten password', '/api/auth/password/forgot', (email) => ({ email }))
}, 60_000)

it('V6.3.8 nor does the time of registering', async () => {
  await compare('registering', '/api/auth/register', (email) => ({ email, password: goodPassword }))
}, 60_000)
