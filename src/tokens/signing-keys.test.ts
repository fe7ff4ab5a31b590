import { describe, expect, it } from 'vitest'
import { engineKinds, freshDatabase } from '../../test/kit/databases.ts'
import { rootSecret } from '../../test/kit/signing.ts'
import { migrateUp } from '../data/index.ts'
import { rootKeyEncryption } from '../keys/index.ts'
import { accessTokens } from './access-tokens.ts'
import { signingKeysMigration, signingKeysTable } from './migration.ts'
import { readSigningKeys } from './records.ts'
import { rotateSigningKeys } from './rotate.ts'
import { loadSigningKeys, type SigningKeys } from './signing-keys.ts'

const minuteMs = 60_000
const dayMs = 86_400_000
const kek = rootKeyEncryption(rootSecret(1), null)
const grant = { sub: 'u', sid: 's', ver: 1, roles: [], amr: ['pwd'], authTimeSeconds: 0 }

describe.each(engineKinds)('signing keys on %s', (engine) => {
  async function fresh() {
    const { database, drop } = await freshDatabase(engine)
    await migrateUp(database, { migrations: [signingKeysMigration], table: 'holdfast_own_migrations' })
    const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z') }
    const nowMs = (): number => clock.nowMs
    const opened: SigningKeys[] = []
    const node = async () => {
      const keys = await loadSigningKeys(database.db, kek, { nowMs })
      opened.push(keys)
      return { keys, tokens: accessTokens(keys, { origin: () => 'https://a.example', nowMs }) }
    }
    const close = async (): Promise<void> => {
      for (const keys of opened) keys.close()
      await drop()
    }
    return { db: database.db, clock, nowMs, node, close }
  }

  it('V11.2.2 nodes that start at once agree on one', async () => {
    const { db, node, close } = await fresh()
    const nodes = await Promise.all([node(), node(), node()])
    expect(new Set(nodes.map(({ keys }) => keys.active.id)).size).toBe(1)
    expect(await readSigningKeys(db)).toHaveLength(1)
    await close()
  })

  it('V11.2.2 V13.3.4 the next one is published before it signs, and the last one verifies what it has signed', async () => {
    const { db, clock, nowMs, node, close } = await fresh()
    const { keys, tokens } = await node()
    const oldId = keys.active.id
    const rotated = await rotateSigningKeys(db, kek, { nowMs })
    expect(rotated.id).not.toBe(oldId)
    await keys.refresh()
    expect(tokens.jwks().keys.map(({ kid }) => kid)).toEqual([rotated.id, oldId])
    expect(keys.active.id).toBe(oldId)
    clock.nowMs += 10 * minuteMs - 1
    const last = tokens.sign(grant).token
    clock.nowMs += 1
    expect(keys.active.id).toBe(rotated.id)
    const first = tokens.sign(grant).token
    expect(tokens.verify(last)).not.toBeNull()
    clock.nowMs += 10 * minuteMs - 1_000
    expect(tokens.verify(first)).not.toBeNull()
    clock.nowMs += 7_000
    await keys.refresh()
    expect(tokens.jwks().keys.map(({ kid }) => kid)).toEqual([rotated.id])
    await close()
  })

  it('V11.2.2 rotations that run at once make one key', async () => {
    const { db, nowMs, node, close } = await fresh()
    await node()
    const rotated = await Promise.all(Array.from({ length: 5 }, () => rotateSigningKeys(db, kek, { nowMs })))
    expect(new Set(rotated.map(({ id }) => id)).size).toBe(1)
    expect(await readSigningKeys(db)).toHaveLength(2)
    await close()
  })

  it('V11.2.2 a key is replaced when it is a month old, by whichever node notices', async () => {
    const { db, clock, node, close } = await fresh()
    const nodes = [await node(), await node()]
    clock.nowMs += 30 * dayMs - 1
    for (const { keys } of nodes) await keys.refresh()
    expect(await readSigningKeys(db)).toHaveLength(1)
    clock.nowMs += 1
    await Promise.all(nodes.map(({ keys }) => keys.refresh()))
    const records = await readSigningKeys(db)
    expect(records).toHaveLength(2)
    await close()
  })

  it('V13.3.4 a compromised one ends at once, with every token that it has signed', async () => {
    const { db, nowMs, node, close } = await fresh()
    const { keys, tokens } = await node()
    const { token } = tokens.sign(grant)
    expect(tokens.verify(token)).not.toBeNull()
    await rotateSigningKeys(db, kek, { nowMs, isCompromised: true })
    await keys.refresh()
    expect(tokens.verify(token)).toBeNull()
    expect(tokens.verify(tokens.sign(grant).token)).not.toBeNull()
    await close()
  })

  it('V9.1.1 a token of a key that another node has just made is taken after a look into the table', async () => {
    const { db, clock, nowMs, node, close } = await fresh()
    const one = await node()
    const two = await node()
    await rotateSigningKeys(db, kek, { nowMs })
    await one.keys.refresh()
    clock.nowMs += 10 * minuteMs
    const { token } = one.tokens.sign(grant)
    expect(two.tokens.verify(token)).toBeNull()
    await two.keys.refresh()
    expect(two.tokens.verify(token)).not.toBeNull()
    await close()
  })

  it('V13.3.1 V11.4.1 lie in the table under a key that does not, and open for their own row alone', async () => {
    const { db, node, nowMs, close } = await fresh()
    await node()
    await rotateSigningKeys(db, kek, { nowMs })
    const [newest, older] = await readSigningKeys(db)
    const stranger = rootKeyEncryption(rootSecret(2), null)
    await expect(loadSigningKeys(db, stranger, { nowMs })).rejects.toThrow('HOLDFAST_SECRET')
    // The next root secret opens what the one before has wrapped, and wraps it anew.
    const next = rootKeyEncryption(rootSecret(2), rootSecret(1))
    await rotateSigningKeys(db, next, { nowMs })
    const opened = await loadSigningKeys(db, stranger, { nowMs })
    expect(opened.active.id).toBe(older?.id)
    opened.close()
    await db
      .updateTable(signingKeysTable)
      .set({ wrapped: String(newest?.wrapped) })
      .where('id', '=', String(older?.id))
      .execute()
    await expect(loadSigningKeys(db, next, { nowMs })).rejects.toThrow('does not open')
    await close()
  })
})
