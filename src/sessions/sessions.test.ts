import { describe, expect, it } from 'vitest'
import { engineKinds, freshDatabase } from '../../test/kit/databases.ts'
import { rootSecret } from '../../test/kit/signing.ts'
import { deriveKey } from '../crypto/index.ts'
import { type MigrationDatabase, migrateUp } from '../data/index.ts'
import { revocationsMigration, revocationsTable, sessionsMigration, sessionsTable } from './migration.ts'
import { RefreshTokens } from './refresh-token.ts'
import { defaultSessionLimits } from './session.ts'
import { Sessions } from './sessions.ts'

const key = deriveKey(rootSecret(1), 'refresh-token')
const from = {
  address: '192.0.2.1',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
  transport: 'bearer',
} as const
const request = { userId: 'u1', amr: ['pwd'], authTimeSeconds: 1, deviceId: null, ...from }
const dayMs = 86_400_000

describe.each(engineKinds)('a session on %s', (engine) => {
  async function fresh(maxCount = 20) {
    const { database, drop } = await freshDatabase(engine)
    const migrations = [sessionsMigration, revocationsMigration]
    await migrateUp(database, { migrations, table: 'holdfast_own_migrations' })
    const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z') }
    const made = (tokens: RefreshTokens) =>
      new Sessions({
        db: database.db,
        refreshTokens: tokens,
        limits: { ...defaultSessionLimits, maxCount },
        nowMs: () => clock.nowMs,
      })
    const sessions = made(new RefreshTokens([key]))
    return { db: database.db, sessions, made, clock, drop }
  }

  async function refreshed(sessions: Sessions, token: string): Promise<string> {
    const outcome = await sessions.refresh(token, from)
    if (outcome.kind === 'refused') throw new Error(`refused: ${outcome.why}`)
    return outcome.refreshToken
  }

  async function why(sessions: Sessions, token: string): Promise<string> {
    const outcome = await sessions.refresh(token, from)
    return outcome.kind === 'refused' ? outcome.why : outcome.kind
  }

  it('V7.2.4 has an id and a token of its own, and tells its device', async () => {
    const { db, sessions, drop } = await fresh()
    const one = await sessions.open(db, request)
    const two = await sessions.open(db, request)
    expect(one.session.id).not.toBe(two.session.id)
    expect(one.refreshToken).toMatch(/^[A-Za-z0-9_-]{70}$/)
    const [newest] = await sessions.list('u1')
    expect(newest).toMatchObject({ id: two.session.id, device: 'Firefox on Linux', address: '192.0.2.1' })
    expect(JSON.stringify(await sessions.list('u1'))).not.toMatch(/salt|hash|token/i)
    expect(await sessions.list('u2')).toEqual([])
    const table = JSON.stringify(await db.selectFrom(sessionsTable).selectAll().execute())
    expect(table).not.toContain(one.refreshToken)
    await drop()
  })

  it('V10.4.5 moves on with each refresh, and only the newest token is good', async () => {
    const { db, sessions, clock, drop } = await fresh()
    const { refreshToken: first } = await sessions.open(db, request)
    const second = await refreshed(sessions, first)
    const third = await refreshed(sessions, second)
    expect(new Set([first, second, third]).size).toBe(3)
    clock.nowMs += 60_000
    expect(await why(sessions, second)).toBe('reused')
    expect(await why(sessions, third)).toBe('ended')
    await drop()
  })

  it('V10.4.5 gives two who refresh within the grace the same successor, and ends for one who comes later', async () => {
    const { db, sessions, clock, drop } = await fresh()
    const { refreshToken: first } = await sessions.open(db, request)
    const second = await refreshed(sessions, first)
    clock.nowMs += 10_000
    expect(await refreshed(sessions, first)).toBe(second)
    clock.nowMs += 1
    expect(await why(sessions, first)).toBe('reused')
    expect(await why(sessions, second)).toBe('ended')
    await drop()
  })

  it('V10.4.5 ends when a token comes back once its successor was used, also within the grace', async () => {
    const { db, sessions, drop } = await fresh()
    const { refreshToken: first } = await sessions.open(db, request)
    await refreshed(sessions, await refreshed(sessions, first))
    expect(await why(sessions, first)).toBe('reused')
    await drop()
  })

  it('V2.3.4 fifty refreshes at once have one successor', async () => {
    const { db, sessions, drop } = await fresh()
    const { refreshToken } = await sessions.open(db, request)
    const all = await Promise.all(Array.from({ length: 50 }, () => refreshed(sessions, refreshToken)))
    expect(new Set(all).size).toBe(1)
    const [row] = await db.selectFrom(sessionsTable).select('generation').execute()
    expect(row?.['generation']).toBe(2)
    await drop()
  })

  it('V7.4.1 nothing lives when it is refreshed and ended at once', async () => {
    const { db, sessions, drop } = await fresh()
    for (let round = 0; round < 10; round += 1) {
      const { session, refreshToken } = await sessions.open(db, request)
      const outcomes = await Promise.all([
        sessions.refresh(refreshToken, from),
        sessions.end(db, 'u1', session.id, 'logout'),
        sessions.refresh(refreshToken, from),
      ])
      for (const outcome of outcomes) {
        if (typeof outcome === 'boolean' || outcome.kind === 'refused') continue
        expect(await why(sessions, outcome.refreshToken)).toBe('ended')
      }
      expect(await sessions.list('u1')).toEqual([])
    }
    await drop()
  })

  /** Sessions between whose look and whose write something else happens, once. */
  function interrupted(
    { db, clock }: { readonly db: MigrationDatabase; readonly clock: { readonly nowMs: number } },
    between: () => Promise<unknown>,
  ): Sessions {
    let isDone = false
    const slow = db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        if (!isDone) {
          isDone = true
          await between()
        }
        return result
      },
    })
    const refreshTokens = new RefreshTokens([key])
    return new Sessions({ db: slow, refreshTokens, limits: defaultSessionLimits, nowMs: () => clock.nowMs })
  }

  it('V2.3.4 never goes back to an earlier token when a refresh is overtaken twice', async () => {
    const world = await fresh()
    const { refreshToken } = await world.sessions.open(world.db, request)
    let newest = ''
    const slow = interrupted(world, async () => {
      newest = await refreshed(world.sessions, await refreshed(world.sessions, refreshToken))
    })
    expect(await why(slow, refreshToken)).toBe('reused')
    // Whoever holds the newest is not let in either: one of the two has stolen it.
    expect(await why(world.sessions, newest)).toBe('ended')
    const [row] = await world.db.selectFrom(sessionsTable).select('generation').execute()
    expect(row?.['generation']).toBe(3)
    await world.drop()
  })

  it('V7.4.1 is not refreshed when it ends between the look and the write', async () => {
    const world = await fresh()
    const { session, refreshToken } = await world.sessions.open(world.db, request)
    const slow = interrupted(world, () => world.sessions.end(world.db, 'u1', session.id, 'logout'))
    expect(await why(slow, refreshToken)).toBe('ended')
    const [row] = await world.db.selectFrom(sessionsTable).select('generation').execute()
    expect(row?.['generation']).toBe(1)
    await world.drop()
  })

  it('V14.2.7 leaves nothing when its account is deleted, and stays revoked', async () => {
    const { db, sessions, drop } = await fresh()
    const { session } = await sessions.open(db, request)
    const other = await sessions.open(db, { ...request, userId: 'u2' })
    await sessions.revoke(db, { userId: 'u1', minimumVersion: 2 }, 'deleted')
    await sessions.forget(db, 'u1')
    const left = await db.selectFrom(sessionsTable).select('id').execute()
    expect(left.map(({ id }) => id)).toEqual([other.session.id])
    expect(session.id).not.toBe(other.session.id)
    expect(await db.selectFrom(revocationsTable).select('userId').execute()).toEqual([{ userId: 'u1' }])
    await drop()
  })

  it('V7.3.1 V7.3.2 ends when it rests too long, and when it is too old', async () => {
    const { db, sessions, clock, drop } = await fresh()
    const idle = (await sessions.open(db, request)).refreshToken
    clock.nowMs += 7 * dayMs
    expect(await why(sessions, idle)).toBe('expired')
    expect(await sessions.list('u1')).toEqual([])
    let busy = (await sessions.open(db, request)).refreshToken
    for (let day = 6; day < 30; day += 6) {
      clock.nowMs += 6 * dayMs
      busy = await refreshed(sessions, busy)
    }
    clock.nowMs += 6 * dayMs
    expect(await why(sessions, busy)).toBe('expired')
    await drop()
  })

  it('V7.1.2 makes room: the one that has rested longest ends', async () => {
    const { db, sessions, clock, drop } = await fresh(3)
    const tokens: string[] = []
    for (let index = 0; index < 3; index += 1) {
      tokens.push((await sessions.open(db, request)).refreshToken)
      clock.nowMs += 1_000
    }
    const used = await refreshed(sessions, tokens[0] ?? '')
    await sessions.open(db, request)
    expect(await sessions.list('u1')).toHaveLength(3)
    expect(await why(sessions, used)).toBe('refreshed')
    expect(await why(sessions, tokens[1] ?? '')).toBe('ended')
    await drop()
  })

  it('V8.2.2 is ended by nobody but its owner', async () => {
    const { db, sessions, drop } = await fresh()
    const { session, refreshToken } = await sessions.open(db, request)
    expect(await sessions.end(db, 'u2', session.id, 'logout')).toBe(false)
    expect(await why(sessions, refreshToken)).toBe('refreshed')
    expect(await sessions.end(db, 'u1', session.id, 'logout')).toBe(true)
    expect(await sessions.end(db, 'u1', session.id, 'logout')).toBe(false)
    await drop()
  })

  it('V7.2.3 is not ended by a token that somebody has made up for it', async () => {
    const { db, sessions, drop } = await fresh()
    const { session, refreshToken } = await sessions.open(db, request)
    const second = await refreshed(sessions, refreshToken)
    const third = await refreshed(sessions, second)
    const stranger = new RefreshTokens([deriveKey(rootSecret(9), 'refresh-token')])
    for (const generation of [0, 1, 2, 3, 4, 4_294_967_295])
      for (const salt of ['', 'salt'])
        expect(await why(sessions, stranger.make({ sessionId: session.id, generation }, salt))).toBe(
          'unknown',
        )
    for (const text of [
      '',
      'x',
      refreshToken.slice(1),
      `${refreshToken}A`,
      `${refreshToken} `,
      'A'.repeat(70),
    ])
      expect(await why(sessions, text)).toBe('unknown')
    // A letter of the session's name or of the number changed: the tag does not fit any more.
    for (let index = 0; index < 70; index += 1) {
      const letter = third[index] === 'A' ? 'B' : 'A'
      expect(await why(sessions, third.slice(0, index) + letter + third.slice(index + 1))).toBe('unknown')
    }
    expect(await why(sessions, third)).toBe('refreshed')
    await drop()
  })

  it('V7.2.1 is nothing on the other transport', async () => {
    const { db, sessions, drop } = await fresh()
    const { refreshToken } = await sessions.open(db, { ...request, transport: 'cookie' })
    expect(await why(sessions, refreshToken)).toBe('unknown')
    expect((await sessions.refresh(refreshToken, { ...from, transport: 'cookie' })).kind).toBe('refreshed')
    await drop()
  })

  it('V13.3.4 outlives the replacement of the root secret while the one before is known', async () => {
    const { db, sessions, made, drop } = await fresh()
    const { refreshToken } = await sessions.open(db, request)
    const old = (await sessions.open(db, request)).refreshToken
    const next = deriveKey(rootSecret(2), 'refresh-token')
    const both = made(new RefreshTokens([next, key]))
    const second = await refreshed(both, refreshToken)
    expect(await why(made(new RefreshTokens([next])), second)).toBe('refreshed')
    // The good one is known by its hash, without the key that it was made under.
    expect(await why(made(new RefreshTokens([next])), old)).toBe('refreshed')
    await drop()
  })

  it('V7.4.3 all of an account end, and no other', async () => {
    const { db, sessions, drop } = await fresh()
    const mine = (await sessions.open(db, request)).refreshToken
    const others = (await sessions.open(db, { ...request, userId: 'u2' })).refreshToken
    await sessions.revoke(db, { userId: 'u1', minimumVersion: 2 }, 'password-changed')
    expect(await why(sessions, mine)).toBe('ended')
    expect(await why(sessions, others)).toBe('refreshed')
    const rows = await db.selectFrom(revocationsTable).select(['userId', 'minimumVersion', 'cause']).execute()
    expect(rows).toEqual([{ userId: 'u1', minimumVersion: 2, cause: 'password-changed' }])
    await drop()
  })

  it('V2.3.3 has not ended when what ended it is undone', async () => {
    const { db, sessions, drop } = await fresh()
    const { session, refreshToken } = await sessions.open(db, request)
    const undone = db.transaction().execute(async (trx) => {
      await sessions.end(trx, 'u1', session.id, 'logout')
      throw new TypeError('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await why(sessions, refreshToken)).toBe('refreshed')
    expect(await db.selectFrom(revocationsTable).selectAll().execute()).toEqual([])
    await drop()
  })

  it('is forgotten a month after its end', async () => {
    const { db, sessions, clock, drop } = await fresh()
    await sessions.open(db, request)
    await sessions.revoke(db, { userId: 'u1', minimumVersion: 2 }, 'deleted')
    clock.nowMs += 29 * dayMs
    await sessions.clean()
    expect(await db.selectFrom(sessionsTable).selectAll().execute()).toHaveLength(1)
    clock.nowMs += 2 * dayMs
    await sessions.clean()
    expect(await db.selectFrom(sessionsTable).selectAll().execute()).toEqual([])
    expect(await db.selectFrom(revocationsTable).selectAll().execute()).toEqual([])
    await drop()
  })
})
