import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enter, goodPassword, logIn, mailTo, startAccounts, tokenIn } from '../kit/accounts.ts'
import { engineKinds } from '../kit/databases.ts'
import type { NotesServer } from '../kit/notes-server.ts'

const newPassword = 'seven quiet herons wade'

describe.each(engineKinds)('every token at every endpoint, on %s', (engine) => {
  let notes: NotesServer
  beforeAll(async () => {
    notes = await startAccounts(engine)
  })
  afterAll(() => notes.stop())

  /** One token of each kind, fresh. */
  async function tokens(name: string): Promise<Readonly<Record<string, string>>> {
    const email = `${name}@example.com`
    const person = await enter(notes, email)
    await notes.ask('POST', '/api/auth/password/forgot', { body: { email } })
    const change = { email: `${name}.new@example.com`, password: goodPassword }
    await notes.ask('POST', '/api/auth/email/change', { headers: person.as, body: change })
    const pending = { email: `${name}.pending@example.com`, password: goodPassword }
    await notes.ask('POST', '/api/auth/register', { body: pending })
    const setup = await notes.server.firstAdministratorLink()
    return {
      access: person.accessToken,
      refresh: person.refreshToken,
      reset: tokenIn(await mailTo(notes, email, 2)),
      change: tokenIn(await mailTo(notes, change.email)),
      verify: tokenIn(await mailTo(notes, pending.email)),
      setup: setup?.split('#token=')[1] ?? '',
    }
  }

  const endpoints: Readonly<Record<string, (token: string) => Promise<number>>> = {
    access: async (token) =>
      (await notes.ask('GET', '/api/users/me', { headers: { authorization: `Bearer ${token}` } })).status,
    refresh: async (refreshToken) =>
      (await notes.ask('POST', '/api/auth/refresh', { body: { refreshToken } })).status,
    reset: async (token) =>
      (await notes.ask('POST', '/api/auth/password/reset', { body: { token, password: newPassword } }))
        .status,
    change: async (token) => (await notes.ask('POST', '/api/auth/email/confirm', { body: { token } })).status,
    verify: async (token) => (await notes.ask('POST', '/api/auth/verify-email', { body: { token } })).status,
    setup: async (token) => {
      const body = { token, email: 'first@example.com', password: goodPassword }
      return (await notes.ask('POST', '/api/auth/setup', { body })).status
    },
  }

  it('V9.2.2 V10.4.5 takes a token of its own kind alone', async () => {
    const made = await tokens('ann')
    for (const [kind, token] of Object.entries(made))
      for (const [endpoint, send] of Object.entries(endpoints))
        if (kind !== endpoint) expect([400, 401], `${kind} at ${endpoint}`).toContain(await send(token))
    // None of them has been spent by it.
    expect(await endpoints['access']?.(made['access'] ?? '')).toBe(200)
    expect(await endpoints['verify']?.(made['verify'] ?? '')).toBe(204)
    expect(await endpoints['refresh']?.(made['refresh'] ?? '')).toBe(200)
    expect(await endpoints['change']?.(made['change'] ?? '')).toBe(204)
  })

  it('V2.3.4 gives one of twenty who send the same token at once what it is for', async () => {
    const made = await tokens('ben')
    for (const kind of ['verify', 'reset', 'setup'] as const) {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () => endpoints[kind]?.(made[kind] ?? '')),
      )
      expect(
        outcomes.filter((status) => status === 204),
        kind,
      ).toHaveLength(1)
      expect(
        outcomes.filter((status) => status === 400 || status === 503 || status === 429),
        kind,
      ).toHaveLength(19)
    }
    await logIn(notes, 'ben@example.com', newPassword)
    const dee = await tokens('dee')
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => endpoints['change']?.(dee['change'] ?? '')),
    )
    expect(outcomes.filter((status) => status === 204)).toHaveLength(1)
  })
})
