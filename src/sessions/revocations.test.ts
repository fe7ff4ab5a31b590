import { describe, expect, it } from 'vitest'
import { engineKinds, freshDatabase } from '../../test/kit/databases.ts'
import { rootSecret } from '../../test/kit/signing.ts'
import { deriveKey } from '../crypto/index.ts'
import { migrateUp } from '../data/index.ts'
import { revocationsMigration, revocationsTable, sessionsMigration } from './migration.ts'
import { RefreshTokens } from './refresh-token.ts'
import { loadRevocations, type RevocationIndex, type RevocationOptions } from './revocations.ts'
import { defaultSessionLimits } from './session.ts'
import { Sessions } from './sessions.ts'

const tokenMs = 605_000
const request = {
  userId: 'u1',
  transport: 'bearer',
  amr: ['pwd'],
  authTimeSeconds: 1,
  deviceId: null,
  userAgent: '',
  address: '192.0.2.1',
} as const

describe.each(engineKinds)('revocations on %s', (engine) => {
  async function fresh() {
    const { database, drop } = await freshDatabase(engine)
    const migrations = [sessionsMigration, revocationsMigration]
    await migrateUp(database, { migrations, table: 'holdfast_own_migrations' })
    const { db } = database
    const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z') }
    const nowMs = (): number => clock.nowMs
    const refreshTokens = new RefreshTokens([deriveKey(rootSecret(1), 'refresh-token')])
    const sessions = new Sessions({ db, refreshTokens, limits: defaultSessionLimits, nowMs })
    const opened: RevocationIndex[] = []
    // Never read by a timer here, and as old as the clock says.
    const index = async (options: Partial<RevocationOptions> = {}) => {
      const one = await loadRevocations({
        ...{ db, tokenMs, nowMs, monotonicMs: nowMs, everyMs: 3_600_000 },
        ...options,
      })
      opened.push(one)
      return one
    }
    const close = async (): Promise<void> => {
      for (const one of opened) await one.close()
      await drop()
    }
    return { db, clock, sessions, index, close }
  }

  it('V7.4.1 are known at once where they were made, and without asking anybody', async () => {
    const { db, sessions, index, close } = await fresh()
    const node = await index()
    const { session } = await sessions.open(db, request)
    const claims = { sub: 'u1', sid: session.id, ver: 1 }
    expect(node.isLive(claims)).toBe(true)
    await sessions.end(db, 'u1', session.id, 'logout')
    await node.noteCommitted()
    expect(node.isLive(claims)).toBe(false)
    expect(node.isLive({ ...claims, sid: 'another' })).toBe(true)
    await close()
  })

  it('V7.4.3 V8.3.2 end tokens below a version, and no newer ones', async () => {
    const { db, sessions, index, close } = await fresh()
    const node = await index()
    await sessions.endTokens(db, 'u1', 3, 'roles-changed')
    await sessions.endTokens(db, 'u1', 2, 'roles-changed')
    await node.noteCommitted()
    expect([1, 2, 3, 4].map((ver) => node.isLive({ sub: 'u1', sid: 's', ver }))).toEqual([
      false,
      false,
      true,
      true,
    ])
    expect(node.isLive({ sub: 'u2', sid: 's', ver: 1 })).toBe(true)
    await close()
  })

  it('V7.4.1 are known to a node that starts later, as long as a token could live', async () => {
    const { db, clock, sessions, index, close } = await fresh()
    const { session } = await sessions.open(db, request)
    await sessions.end(db, 'u1', session.id, 'logout')
    clock.nowMs += tokenMs
    expect((await index()).isLive({ sub: 'u1', sid: session.id, ver: 1 })).toBe(false)
    await close()
  })

  it('V7.4.1 are asked of the database by a node that has not read for a second', async () => {
    const { db, clock, sessions, index, close } = await fresh()
    const node = await index()
    const { session } = await sessions.open(db, request)
    const claims = { sub: 'u1', sid: session.id, ver: 1 }
    clock.nowMs += 1_000
    expect(node.isFresh).toBe(true)
    clock.nowMs += 1
    expect(node.isFresh).toBe(false)
    expect(await node.isLive(claims)).toBe(true)
    await sessions.endTokens(db, 'u1', 2, 'roles-changed')
    expect(await node.isLive(claims)).toBe(false)
    expect(await node.isLive({ ...claims, ver: 2 })).toBe(true)
    await sessions.end(db, 'u1', session.id, 'logout')
    expect(await node.isLive({ ...claims, ver: 2 })).toBe(false)
    expect(await node.isLive({ ...claims, sid: 'made-up', ver: 2 })).toBe(false)
    await close()
  })

  it('V16.5.3 refuse when neither the index nor the database can say', async () => {
    const { db, clock, sessions, index, close } = await fresh()
    const failures: unknown[] = []
    const node = await index({ onFailure: (error) => failures.push(error) })
    const { session } = await sessions.open(db, request)
    await db.schema.dropTable(revocationsTable).execute()
    await node.noteCommitted()
    expect(failures).toHaveLength(1)
    expect(node.isFresh).toBe(false)
    await expect(node.isLive({ sub: 'u1', sid: session.id, ver: 1 })).rejects.toThrow()
    clock.nowMs += 10
    await revocationsMigration.up(db)
    await node.noteCommitted()
    expect(node.isLive({ sub: 'u1', sid: session.id, ver: 1 })).toBe(true)
    await close()
  })

  it('V7.4.1 are not missed when they were committed late, or while nobody could read', async () => {
    const { db, clock, sessions, index, close } = await fresh()
    const node = await index()
    // A row with a time of before the last reading, as a slow transaction or a clock that is behind leaves it.
    clock.nowMs += 50_000
    await node.noteCommitted()
    const { session } = await sessions.open(db, request)
    await sessions.end(db, 'u1', session.id, 'logout')
    const at = new Date(clock.nowMs - 50_000).toISOString()
    await db.updateTable(revocationsTable).set({ at }).execute()
    await node.noteCommitted()
    expect(node.isLive({ sub: 'u1', sid: session.id, ver: 1 })).toBe(false)
    // Ten minutes without a reading.
    const other = await sessions.open(db, request)
    await sessions.end(db, 'u1', other.session.id, 'logout')
    clock.nowMs += 600_000
    await node.noteCommitted()
    expect(node.isLive({ sub: 'u1', sid: other.session.id, ver: 1 })).toBe(false)
    await close()
  })

  it('V15.2.2 hold no more than they may: past that the database is asked', async () => {
    const { db, clock, sessions, index, close } = await fresh()
    const node = await index({ maxCount: 5 })
    const { session } = await sessions.open(db, request)
    for (let count = 0; count < 6; count += 1) await sessions.endTokens(db, `other${count}`, 2, 'disabled')
    await node.noteCommitted()
    expect(node.isFresh).toBe(false)
    expect(await node.isLive({ sub: 'u1', sid: session.id, ver: 1 })).toBe(true)
    expect(await node.isLive({ sub: 'other5', sid: session.id, ver: 1 })).toBe(false)
    // Once every token that they concern is past its time they are forgotten.
    clock.nowMs += tokenMs + 120_000
    await node.noteCommitted()
    await node.noteCommitted()
    expect(node.isFresh).toBe(true)
    await close()
  })
})
