import { describe, expect, it } from 'vitest'
import { engineKinds, freshDatabase } from '../../test/kit/databases.ts'
import { Secret } from '../base/index.ts'
import { deriveKey } from '../crypto/index.ts'
import { migrateUp } from '../data/index.ts'
import { singleUseMigration, singleUseTable } from './migration.ts'
import { type SingleUsePurpose, SingleUseTokens } from './tokens.ts'

const root = new Secret(Buffer.alloc(32, 5))
const minuteMs = 60_000

describe.each(engineKinds)('tokens that work once, on %s', (engine) => {
  async function fresh() {
    const { database, drop } = await freshDatabase(engine)
    await migrateUp(database, { migrations: [singleUseMigration], table: 'holdfast_own_migrations' })
    let nowMs = Date.parse('2026-01-01T00:00:00Z')
    const tokens = new SingleUseTokens({
      nameKey: deriveKey(root, 'single-use-name'),
      sealKey: deriveKey(root, 'single-use-data'),
      nowMs: () => nowMs,
    })
    const issue = (purpose: SingleUsePurpose, subject: string, data?: unknown) =>
      tokens.issue(database.db, { purpose, subject, lifetimeMs: 30 * minuteMs, data })
    const pass = (ms: number): void => {
      nowMs += ms
    }
    return { db: database.db, tokens, issue, pass, drop }
  }

  it('V6.6.2 work once, and bring back what they were made for', async () => {
    const { db, tokens, issue, drop } = await fresh()
    const token = await issue('verify-email', 'ann@example.com', { name: 'Ann' })
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(await tokens.consume(db, 'verify-email', token)).toEqual({
      subject: 'ann@example.com',
      data: { name: 'Ann' },
    })
    expect(await tokens.consume(db, 'verify-email', token)).toBeNull()
    await drop()
  })

  it('V2.3.4 work for exactly one of many who send them at once', async () => {
    const { db, tokens, issue, drop } = await fresh()
    const token = await issue('reset-password', 'u1')
    const taken = await Promise.all(
      Array.from({ length: 30 }, () => tokens.consume(db, 'reset-password', token)),
    )
    expect(taken.filter((one) => one !== null)).toHaveLength(1)
    await drop()
  })

  it('V6.4.1 end with their time', async () => {
    const { db, tokens, issue, pass, drop } = await fresh()
    const token = await issue('reset-password', 'u1')
    const other = await issue('reset-password', 'u2')
    pass(30 * minuteMs - 1)
    expect(await tokens.consume(db, 'reset-password', token)).not.toBeNull()
    pass(1)
    expect(await tokens.consume(db, 'reset-password', other)).toBeNull()
    await tokens.clean(db)
    expect(await db.selectFrom(singleUseTable).selectAll().execute()).toEqual([])
    for (const lifetimeMs of [0, 10 * minuteMs - 1, 60 * minuteMs + 1, Number.NaN])
      await expect(
        tokens.issue(db, { purpose: 'reset-password', subject: 'u1', lifetimeMs }),
      ).rejects.toThrow(RangeError)
    await drop()
  })

  it('V9.2.2 are nothing to another purpose, and stay what they are', async () => {
    const { db, tokens, issue, drop } = await fresh()
    const token = await issue('verify-email', 'ann@example.com')
    for (const purpose of ['reset-password', 'change-email', 'first-administrator'] as const)
      expect(await tokens.consume(db, purpose, token)).toBeNull()
    expect(await tokens.consume(db, 'verify-email', token)).not.toBeNull()
    await drop()
  })

  it('V6.4.1 are ended by a newer one, and by name', async () => {
    const { db, tokens, issue, drop } = await fresh()
    const old = await issue('reset-password', 'u1')
    const newer = await issue('reset-password', 'u1')
    expect(await tokens.consume(db, 'reset-password', old)).toBeNull()
    const registered = await issue('verify-email', 'ann@example.com')
    await issue('verify-email', 'ann@example.com')
    expect(await tokens.consume(db, 'verify-email', registered)).not.toBeNull()
    const change = await issue('change-email', 'u1')
    const others = await issue('change-email', 'u2')
    await tokens.forget(db, 'u1')
    expect(await tokens.consume(db, 'reset-password', newer)).toBeNull()
    expect(await tokens.consume(db, 'change-email', change)).toBeNull()
    expect(await tokens.consume(db, 'change-email', others)).not.toBeNull()
    await drop()
  })

  it('V11.4.1 V14.2.2 lie in the table neither as they are nor with what they carry', async () => {
    const { db, tokens, issue, drop } = await fresh()
    const token = await issue('verify-email', 'u1', { passwordHash: 'a-hash-to-be-found' })
    const table = JSON.stringify(await db.selectFrom(singleUseTable).selectAll().execute())
    expect(table).not.toContain(token)
    expect(table).not.toContain('a-hash-to-be-found')
    const stranger = new SingleUseTokens({
      nameKey: deriveKey(new Secret(Buffer.alloc(32, 6)), 'single-use-name'),
      sealKey: deriveKey(root, 'single-use-data'),
    })
    expect(await stranger.consume(db, 'verify-email', token)).toBeNull()
    for (const text of ['', 'x', `${token}=`, `${token} `, token.slice(1), '%', "' or 1=1 --"])
      expect(await tokens.consume(db, 'verify-email', text)).toBeNull()
    await drop()
  })

  it('V2.3.3 are there again when what they let happen is undone', async () => {
    const { db, tokens, issue, drop } = await fresh()
    const token = await issue('verify-email', 'u1')
    const failing = db.transaction().execute(async (trx) => {
      expect(await tokens.consume(trx, 'verify-email', token)).not.toBeNull()
      throw new TypeError('undone')
    })
    await expect(failing).rejects.toThrow('undone')
    expect(await tokens.consume(db, 'verify-email', token)).not.toBeNull()
    await drop()
  })
})
