import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enter, goodPassword, type LoggedIn, logIn, mailTo, startAccounts, tokenIn } from '../kit/accounts.ts'
import { engineKinds } from '../kit/databases.ts'
import type { NotesServer } from '../kit/notes-server.ts'

const newPassword = 'seven quiet herons wade'
const adminEmail = 'chief@example.com'

/** What an account has when something happens to it: two sessions, cookies, and links in its mailbox. */
interface Artefacts {
  readonly id: string
  readonly email: string
  readonly first: LoggedIn
  readonly second: LoggedIn
  readonly cookie: string
  readonly resetToken: string
  readonly changeToken: string
}

type Artefact =
  | 'own access'
  | 'other access'
  | 'own refresh'
  | 'other refresh'
  | 'cookie'
  | 'reset link'
  | 'change link'
const all: readonly Artefact[] = [
  'own access',
  'other access',
  'own refresh',
  'other refresh',
  'cookie',
  'reset link',
  'change link',
]

describe.each(engineKinds)('what dies of what, on %s', (engine) => {
  let notes: NotesServer
  let admin: LoggedIn
  let count = 0
  beforeAll(async () => {
    notes = await startAccounts(engine)
    await notes.server.createAccount({ email: adminEmail, password: goodPassword, roles: ['admin'] })
    admin = await logIn(notes, adminEmail)
  })
  afterAll(() => notes.stop())

  async function prepare(): Promise<Artefacts> {
    count += 1
    const email = `person${count}@example.com`
    const first = await enter(notes, email)
    const second = await logIn(notes, email)
    const login = { email, password: goodPassword, transport: 'cookie' }
    const cookies = await notes.ask('POST', '/api/auth/login', { body: login })
    await mailTo(notes, email, 1)
    const change = { email: `new${count}@example.com`, password: goodPassword }
    await notes.ask('POST', '/api/auth/email/change', { headers: first.as, body: change })
    const changeToken = tokenIn(await mailTo(notes, change.email))
    await notes.ask('POST', '/api/auth/password/forgot', { body: { email } })
    const resetToken = tokenIn(await lastWithToken(email))
    const me = await notes.ask('GET', '/api/users/me', { headers: first.as })
    const cookie = cookies.headers
      .getSetCookie()
      .map((one) => one.split(';')[0])
      .join('; ')
    return { id: me.text('id'), email, first, second, cookie, resetToken, changeToken }
  }

  async function lastWithToken(email: string) {
    for (let index = 2; ; index += 1) {
      const mail = await mailTo(notes, email, index)
      if (mail.links.some((link) => link.includes('/reset-password#token='))) return mail
    }
  }

  const uses: Readonly<Record<Artefact, (have: Artefacts) => Promise<number>>> = {
    'own access': ({ first }) => access(first),
    'other access': ({ second }) => access(second),
    'own refresh': ({ first }) => refresh(first),
    'other refresh': ({ second }) => refresh(second),
    cookie: async ({ cookie }) => {
      const headers = { cookie, 'sec-fetch-site': 'same-origin' }
      const read = await notes.ask('GET', '/api/users/me', { headers })
      if (read.status === 200) return 200
      return (await notes.ask('POST', '/api/auth/refresh', { headers, body: {} })).status
    },
    'reset link': async ({ resetToken: token }) => {
      const body = { token, password: `${newPassword} again` }
      return (await notes.ask('POST', '/api/auth/password/reset', { body })).status
    },
    'change link': async ({ changeToken: token }) =>
      (await notes.ask('POST', '/api/auth/email/confirm', { body: { token } })).status,
  }

  async function access({ as }: LoggedIn): Promise<number> {
    return (await notes.ask('GET', '/api/users/me', { headers: as })).status
  }

  async function refresh({ refreshToken }: LoggedIn): Promise<number> {
    return (await notes.ask('POST', '/api/auth/refresh', { body: { refreshToken } })).status
  }

  const post = async (path: string, asking: Parameters<NotesServer['ask']>[2]): Promise<void> => {
    const { status, content } = await notes.ask('POST', path, asking)
    expect(status, content).toBeLessThan(300)
  }

  const patch = async (id: string, body: object): Promise<void> => {
    const { status, content } = await notes.ask('PATCH', `/api/admin/users/${id}`, {
      headers: admin.as,
      body: { ...body, reason: 'a test' },
    })
    expect(status, content).toBe(200)
  }

  const causes: readonly {
    readonly name: string
    readonly happen: (have: Artefacts) => Promise<void>
    /** What still works; everything else must be dead. */
    readonly lives: readonly Artefact[]
  }[] = [
    {
      name: 'nothing at all',
      happen: async () => undefined,
      lives: ['own access', 'other access', 'own refresh', 'other refresh', 'cookie', 'reset link'],
    },
    {
      name: 'logout',
      happen: ({ first }) => post('/api/auth/logout', { headers: first.as }),
      lives: ['other access', 'other refresh', 'cookie', 'reset link'],
    },
    {
      name: 'logout everywhere',
      happen: ({ first }) => post('/api/auth/logout-everywhere', { headers: first.as }),
      lives: [],
    },
    {
      name: 'a changed password',
      happen: ({ first }) =>
        post('/api/auth/password/change', {
          headers: first.as,
          body: { currentPassword: goodPassword, newPassword },
        }),
      lives: [],
    },
    {
      name: 'a reset password',
      happen: ({ resetToken: token }) =>
        post('/api/auth/password/reset', { body: { token, password: newPassword } }),
      lives: [],
    },
    {
      name: 'a changed address',
      happen: ({ changeToken: token }) => post('/api/auth/email/confirm', { body: { token } }),
      lives: [],
    },
    {
      name: 'a changed role',
      happen: ({ id }) => patch(id, { roles: ['admin'] }),
      lives: ['own refresh', 'other refresh', 'cookie', 'reset link'],
    },
    { name: 'a disabled account', happen: ({ id }) => patch(id, { disabled: true }), lives: [] },
    {
      name: 'an administrator who ends the sessions',
      happen: ({ id }) =>
        post(`/api/admin/users/${id}/revoke-sessions`, { headers: admin.as, body: { reason: 'a test' } }),
      lives: [],
    },
    {
      name: 'a deleted account',
      happen: async ({ first }) => {
        expect((await notes.ask('DELETE', '/api/users/me', { headers: first.as })).status).toBe(204)
      },
      lives: [],
    },
    {
      name: 'a refresh token that is used again after its time',
      happen: async ({ first }) => {
        expect(await refresh(first)).toBe(200)
        const second = await notes.ask('POST', '/api/auth/refresh', {
          body: { refreshToken: first.refreshToken },
        })
        // Within the window of grace the successor; used itself, the first is a replay.
        await notes.ask('POST', '/api/auth/refresh', { body: { refreshToken: second.text('refreshToken') } })
        expect(await refresh(first)).toBe(401)
      },
      lives: ['other access', 'other refresh', 'cookie', 'reset link'],
    },
  ]

  for (const { name, happen, lives } of causes) {
    it(`V7.4.1 V7.4.2 V7.4.3 after ${name}: ${lives.join(', ') || 'nothing'} lives`, async () => {
      const have = await prepare()
      await happen(have)
      const found: Artefact[] = []
      // A link that works ends the rest, so the links come last; the change of address would end the reset link.
      for (const artefact of all.filter((one) => one !== 'change link'))
        if ((await uses[artefact](have)) < 300) found.push(artefact)
      expect(found).toEqual(all.filter((artefact) => lives.includes(artefact)))
      if (lives.length === 0) expect(await uses['change link'](have)).toBeGreaterThanOrEqual(400)
    })
  }
})
