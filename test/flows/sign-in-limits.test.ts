import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { goodPassword, logIn, mailTo, makeAccount, startAccounts, tokenIn } from '../kit/accounts.ts'
import type { Answer } from '../kit/client.ts'
import { engineKinds } from '../kit/databases.ts'
import type { NotesServer } from '../kit/notes-server.ts'

// Every request of these tests comes from another address: what stops them is counted by account.

const wrong = 'copper lanterns drift inland'
// The free ones, and the first that has to wait; the others wait out what they are told.
const freeCount = 5

function retrySeconds(answer: Answer): number {
  return Number(answer.header('retry-after'))
}

describe.each(engineKinds)('guessing at a password on %s', { timeout: 60_000 }, (engine) => {
  let notes: NotesServer
  beforeAll(async () => {
    notes = await startAccounts(engine)
  }, 30_000)
  afterAll(() => notes.stop())

  function tryWith(email: string, password: string, headers: Readonly<Record<string, string>> = {}) {
    return notes.ask('POST', '/api/auth/login', { body: { email, password }, headers })
  }

  /** Guesses until the account makes it wait so long that the rest of a test happens within. */
  async function untilSlow(email: string): Promise<number> {
    for (let guessCount = 0; ; guessCount += 1) {
      const answer = await tryWith(email, wrong)
      if (answer.status === 401) continue
      expect(answer.status).toBe(429)
      const seconds = retrySeconds(answer)
      if (seconds >= 4) return guessCount
      await delay(seconds * 1000)
    }
  }

  it('V6.3.1 is slowed down by account, whoever asks, and the right password waits too', async () => {
    await makeAccount(notes, 'ann@example.com')
    await makeAccount(notes, 'ben@example.com')
    const body = { email: 'ann@example.com', password: goodPassword, transport: 'cookie' }
    const known = await notes.ask('POST', '/api/auth/login', { body })
    const device = /__Host-device=[^;]+/.exec(known.header('set-cookie') ?? '')?.[0] ?? ''
    expect(device).not.toBe('')
    expect(await untilSlow('ann@example.com')).toBeGreaterThan(freeCount)
    const right = await tryWith('ann@example.com', goodPassword)
    expect(right.status).toBe(429)
    expect(retrySeconds(right)).toBeGreaterThan(0)
    // Nobody else waits, and neither does the person, on a device where they have logged in before.
    await logIn(notes, 'ben@example.com')
    expect(
      (await tryWith('ann@example.com', goodPassword, { cookie: device, 'sec-fetch-site': 'same-origin' }))
        .status,
    ).toBe(200)
  })

  it('V6.3.8 is slowed down in the same way where there is no account', async () => {
    expect(await untilSlow('nobody@example.com')).toBeGreaterThan(freeCount)
  })

  it('V6.4.3 ends with a new password', async () => {
    await makeAccount(notes, 'cat@example.com')
    await untilSlow('cat@example.com')
    expect(
      (await notes.ask('POST', '/api/auth/password/forgot', { body: { email: 'cat@example.com' } })).status,
    ).toBe(202)
    const token = tokenIn(await mailTo(notes, 'cat@example.com', 2))
    const password = 'seven quiet orchards waiting'
    const reset = await notes.ask('POST', '/api/auth/password/reset', { body: { token, password } })
    expect(reset.status).toBe(204)
    await logIn(notes, 'cat@example.com', password)
  })
})

it('V6.3.1 one address may not try many accounts', { timeout: 60_000 }, async () => {
  const notes = await startAccounts('sqlite')
  const headers = { 'x-forwarded-for': '203.0.113.9' }
  const statuses: number[] = []
  for (let count = 0; count < 105; count += 1) {
    const body = { email: `person${count}@example.com`, password: wrong }
    statuses.push((await notes.ask('POST', '/api/auth/login', { body, headers })).status)
  }
  expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(101)
  expect(statuses.at(-1)).toBe(429)
  await notes.stop()
})

it('V15.2.2 a flood of logins is refused in part, with a time to come back, and costs nobody a turn', {
  timeout: 60_000,
}, async () => {
  const notes = await startAccounts('sqlite')
  await makeAccount(notes, 'ann@example.com')
  const ann = await logIn(notes, 'ann@example.com')
  const body = (count: number) => ({ email: `person${count}@example.com`, password: wrong })
  const flood = Array.from({ length: 150 }, (_, count) =>
    notes.ask('POST', '/api/auth/login', { body: body(count) }),
  )
  const reads = Array.from({ length: 20 }, () => notes.ask('GET', '/api/notes', { headers: ann.as }))
  const answers = await Promise.all(flood)
  const refused = answers.filter(({ status }) => status === 503)
  expect(refused.length).toBeGreaterThan(20)
  for (const answer of refused) expect(retrySeconds(answer)).toBeGreaterThan(0)
  expect(answers.filter(({ status }) => status === 401).length).toBe(150 - refused.length)
  for (const { status } of await Promise.all(reads)) expect(status).toBe(200)
  const counters = await notes.server
    .unscoped('whose turns count')
    .selectFrom('holdfast_login_attempts')
    .select('failedCount')
    .where('failedCount', '>', 0)
    .execute()
  // One for each that was hashed; those that the server had no room for were given back.
  expect(counters).toHaveLength(150 - refused.length)
  await notes.stop()
})
