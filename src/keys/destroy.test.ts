import { sql } from 'kysely'
import { afterEach, describe, expect, it } from 'vitest'
import { engineKinds, type FreshDatabase, freshDatabase } from '../../test/kit/databases.ts'
import {
  insertPatients,
  Patient,
  patientFaults,
  patientId,
  patientsMigration,
} from '../../test/kit/patients.ts'
import { Secret } from '../base/index.ts'
import { blindIndex, unguessableBytes } from '../crypto/index.ts'
import { migrateUp } from '../data/index.ts'
import { destroyKey } from './destroy.ts'
import { rootKeyEncryption } from './key-encryption.ts'
import { listKeys } from './list.ts'
import { keysMigration, keysTable } from './migration.ts'
import { reencrypt } from './reencrypt.ts'
import { type LiveKeyRing, loadKeyRing } from './ring.ts'
import { rotateKeys } from './rotate.ts'

const kek = rootKeyEncryption(new Secret(unguessableBytes(32)), null)
const resources = [Patient]
const opened: FreshDatabase[] = []
const rings: LiveKeyRing[] = []

async function patients(kind: 'sqlite' | 'postgres', count: number) {
  const made = await freshDatabase(kind)
  opened.push(made)
  await migrateUp(made.database, [keysMigration, patientsMigration])
  const { db } = made.database
  const ring = await loadKeyRing(db, kek)
  rings.push(ring)
  await insertPatients(
    db,
    ring,
    Array.from({ length: count }, (_, number) => number),
  )
  return { made, db, ring, before: ring.active.id }
}

afterEach(async () => {
  for (const ring of rings.splice(0)) ring.close()
  for (const made of opened.splice(0)) await made.drop()
})

describe.each(engineKinds)('the life of keys on %s', (kind) => {
  it('is listed with what each one has sealed', async () => {
    const { db, ring, before } = await patients(kind, 10)
    await db
      .updateTable('patients')
      .set({ name: 'in the clear', email: null })
      .where('id', '=', patientId(3))
      .execute()
    const rotation = await rotateKeys(db, kek)
    const waiting = await listKeys(db, resources)
    expect(waiting.keys).toMatchObject([
      { id: rotation.id, state: 'next', valueCount: 0, retiredAt: null, destroyedAt: null },
      { id: before, state: 'active', valueCount: 18, retiredAt: rotation.activeFrom },
    ])
    expect(JSON.stringify(waiting)).not.toMatch(/wrapped|hw1|clear/)
    const later = await listKeys(db, resources, { now: () => Date.parse(rotation.activeFrom) })
    expect(later.keys.map(({ state }) => state)).toEqual(['active', 'decrypting'])
    expect(
      [...later.uses].sort((a, b) => a.column.localeCompare(b.column) || a.valueCount - b.valueCount),
    ).toEqual([
      { table: 'patients', column: 'email', keyId: before, valueCount: 9 },
      { table: 'patients', column: 'name', keyId: null, valueCount: 1 },
      { table: 'patients', column: 'name', keyId: before, valueCount: 9 },
    ])
    expect(ring.ids).toEqual([before])
  })

  it('V13.3.1 ends when nothing needs the key any more', async () => {
    const { db, ring, before } = await patients(kind, 20)
    const { id } = await rotateKeys(db, kek, { graceMs: 0 })
    const destroy = (key: string) => destroyKey(db, key, resources, { waitMs: 0 })
    expect(await destroy(before)).toEqual({ kind: 'in-use', valueCount: 40 })
    await reencrypt(db, ring, resources)
    expect(await destroy(before)).toEqual({ kind: 'destroyed' })
    const stored = await db.selectFrom(keysTable).selectAll().where('id', '=', before).executeTakeFirst()
    expect(stored).toMatchObject({ state: 'destroyed', wrapped: null, destroyedAt: expect.any(String) })
    await ring.refresh()
    expect(ring.ids).toEqual([id])
    expect(await patientFaults(db, ring, 20)).toEqual([])
    expect(await destroy(before)).toEqual({ kind: 'gone' })
    expect((await listKeys(db, resources)).keys.map(({ state }) => state)).toEqual(['active', 'destroyed'])
    // A further rotation has nothing to wrap there.
    expect(await rotateKeys(db, kek)).toMatchObject({ rewrappedCount: 1 })
  })

  it('V13.3.1 does not end while one value or one blind index is left', async () => {
    const { db, ring, before } = await patients(kind, 5)
    const old = ring.active
    const text = await db
      .selectFrom('patients')
      .select('name')
      .where('id', '=', patientId(2))
      .executeTakeFirstOrThrow()
    await rotateKeys(db, kek, { graceMs: 0 })
    await reencrypt(db, ring, resources)
    const destroy = () => destroyKey(db, before, resources, { waitMs: 0 })
    const set = async (values: Record<string, string | number | null>) =>
      await db.updateTable('patients').set(values).where('id', '=', patientId(2)).execute()
    await set(text)
    expect(await destroy()).toEqual({ kind: 'in-use', valueCount: 1 })
    await reencrypt(db, ring, resources)
    await set({ emailIndex: blindIndex(old, 'patients', 'email', '2@example.com') })
    expect(await destroy()).toEqual({ kind: 'in-use', valueCount: 1 })
    await reencrypt(db, ring, resources)
    expect(await destroy()).toEqual({ kind: 'destroyed' })
  })

  it('V13.3.1 does not end for the key that seals, nor while a node may still seal under it', async () => {
    const { db, ring, before } = await patients(kind, 1)
    expect(await destroyKey(db, before, resources)).toEqual({ kind: 'active' })
    expect(await destroyKey(db, 'zzzzzzzz', resources)).toEqual({ kind: 'unknown' })
    const { activeFrom, id } = await rotateKeys(db, kek, { graceMs: 0 })
    await reencrypt(db, ring, resources)
    const retired = Date.parse(activeFrom)
    const until = new Date(retired + 600_000).toISOString()
    const at = (now: number) => destroyKey(db, before, resources, { now: () => now })
    expect(await at(retired + 599_999)).toEqual({ kind: 'too-early', until })
    expect(await destroyKey(db, id, resources)).toEqual({ kind: 'active' })
    expect(await at(retired + 600_000)).toEqual({ kind: 'destroyed' })
  })
})

describe('the row policies of PostgreSQL', () => {
  it('V13.3.1 V8.2.2 never make a key look unused: whoever does not see every row destroys nothing', async () => {
    const { made, db, ring, before } = await patients('postgres', 5)
    await made.secure(resources)
    const { id } = await rotateKeys(db, kek, { graceMs: 0 })
    await ring.refresh()
    const role = made.database.appRole
    if (role === undefined) return expect.unreachable('there is a role')
    await sql`grant select, update on ${sql.table(keysTable)} to ${sql.id(role)}`.execute(db)
    await db.connection().execute(async (one) => {
      await sql`set role ${sql.id(role)}`.execute(one)
      const seen = await one.selectFrom('patients').select('id').execute()
      expect(seen).toEqual([])
      for (const act of [
        () => destroyKey(one, before, resources, { waitMs: 0 }),
        () => listKeys(one, resources),
        () => reencrypt(one, ring, resources),
      ])
        await expect(act()).rejects.toThrow('hide rows')
      await sql`reset role`.execute(one)
    })
    expect((await listKeys(db, resources)).keys).toMatchObject([{ id }, { id: before, valueCount: 10 }])
    expect(await destroyKey(db, before, resources, { waitMs: 0 })).toMatchObject({ kind: 'in-use' })
  })
})
