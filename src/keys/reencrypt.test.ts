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
import { blindIndex, sealField, unguessableBytes } from '../crypto/index.ts'
import { type MigrationDatabase, migrateUp } from '../data/index.ts'
import { rootKeyEncryption } from './key-encryption.ts'
import { keysMigration } from './migration.ts'
import { type ReencryptionProgress, reencrypt } from './reencrypt.ts'
import { type LiveKeyRing, loadKeyRing } from './ring.ts'
import { rotateKeys } from './rotate.ts'

const kek = rootKeyEncryption(new Secret(unguessableBytes(32)), null)
const resources = [Patient]

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number)
}

describe.each(engineKinds)('re-encryption on %s', (kind) => {
  const opened: FreshDatabase[] = []
  const rings: LiveKeyRing[] = []

  /** A database with patients whose key has been replaced. */
  async function rotated(
    count: number,
  ): Promise<{ db: MigrationDatabase; ring: LiveKeyRing; before: string }> {
    const made = await freshDatabase(kind)
    opened.push(made)
    await migrateUp(made.database, [keysMigration, patientsMigration])
    const { db } = made.database
    const ring = await loadKeyRing(db, kek)
    rings.push(ring)
    await insertPatients(db, ring, numbers(count))
    const before = ring.active.id
    await rotateKeys(db, kek, { graceMs: 0 })
    await ring.refresh()
    return { db, ring, before }
  }

  afterEach(async () => {
    for (const ring of rings.splice(0)) ring.close()
    for (const made of opened.splice(0)) await made.drop()
  })

  it('V11.2.2 brings every value and blind index under the active key, and touches nothing else', async () => {
    const { db, ring } = await rotated(1000)
    const told: ReencryptionProgress[] = []
    const result = await reencrypt(db, ring, resources, { onProgress: (progress) => told.push(progress) })
    expect(result).toMatchObject({
      keyId: ring.active.id,
      doneCount: 1000,
      totalCount: 1000,
      failedCount: 0,
      isComplete: true,
      failures: [],
    })
    expect(told.map(({ doneCount }) => doneCount)).toEqual([200, 400, 600, 800, 1000])
    expect(told.at(-1)?.rowsPerSecond).toBeGreaterThan(0)
    expect(await patientFaults(db, ring, 1000)).toEqual([])
    expect(await reencrypt(db, ring, resources)).toMatchObject({
      doneCount: 0,
      totalCount: 0,
      isComplete: true,
    })
  })

  it('goes on where it was stopped', async () => {
    const { db, ring } = await rotated(500)
    const controller = new AbortController()
    const first = await reencrypt(db, ring, resources, {
      batchRowCount: 50,
      signal: controller.signal,
      onProgress: ({ doneCount }) => {
        if (doneCount === 150) controller.abort()
      },
    })
    expect(first).toMatchObject({ doneCount: 150, totalCount: 500, isComplete: false })
    const second = await reencrypt(db, ring, resources, { batchRowCount: 50 })
    expect(second).toMatchObject({ doneCount: 350, totalCount: 350, isComplete: true })
    expect(await patientFaults(db, ring, 500)).toEqual([])
  })

  it('runs on two nodes at once, and does each row once', async () => {
    const { db, ring } = await rotated(600)
    const run = () => reencrypt(db, ring, resources, { batchRowCount: 30 })
    const results = await Promise.all([run(), run()])
    expect(results.reduce((sum, { doneCount }) => sum + doneCount, 0)).toBe(600)
    for (const result of results) expect(result).toMatchObject({ failedCount: 0, isComplete: true })
    expect(await patientFaults(db, ring, 600)).toEqual([])
  })

  it('V2.3.3 leaves what somebody writes meanwhile, and comes back to what they wrote under the old key', async () => {
    const { db, ring, before } = await rotated(100)
    const old = ring.byId(before)
    if (old === undefined) return expect.unreachable('the key is gone')
    const stale = { active: old, keys: [old], byId: () => old }
    const write = async (by: typeof stale | LiveKeyRing, id: string, name: string) => {
      const sealed = sealField(by, { table: 'patients', column: 'name', row: id }, name)
      await db.updateTable('patients').set({ name: sealed }).where('id', '=', id).execute()
    }
    let writing: Promise<unknown> = Promise.resolve()
    const result = await reencrypt(db, ring, resources, {
      batchRowCount: 10,
      onProgress: ({ doneCount }) => {
        // One row that is done, by a node that is behind, and rows that are about to be read.
        if (doneCount !== 10) return
        writing = Promise.all([
          write(stale, patientId(0), 'Patient 0'),
          ...numbers(40).map((number) => write(ring, patientId(20 + number), `Patient ${20 + number}`)),
        ])
      },
    })
    await writing
    expect(result.failedCount).toBe(0)
    // What came behind the walk waits for the next one.
    await reencrypt(db, ring, resources)
    expect(await patientFaults(db, ring, 100)).toEqual([])
  })

  it('V16.2.5 reports a row that does not open without its value, leaves it, and goes on', async () => {
    const { db, ring, before } = await rotated(60)
    const [moved, plain, lost] = [patientId(3), patientId(30), patientId(59)]
    const other = await db
      .selectFrom('patients')
      .select('name')
      .where('id', '=', patientId(4))
      .executeTakeFirstOrThrow()
    await db.updateTable('patients').set(other).where('id', '=', moved).execute()
    await db.updateTable('patients').set({ email: 'plain@example.com' }).where('id', '=', plain).execute()
    await db
      .updateTable('patients')
      .set({ name: `hf1.zzzzzzzz.${'A'.repeat(60)}` })
      .where('id', '=', lost)
      .execute()
    const result = await reencrypt(db, ring, resources, { batchRowCount: 10 })
    expect(result).toMatchObject({ doneCount: 60, totalCount: 60, failedCount: 3, isComplete: true })
    expect(result.failures).toEqual([
      {
        table: 'patients',
        key: moved,
        column: 'name',
        reason: expect.stringContaining(`under the key ${before}`),
      },
      { table: 'patients', key: plain, column: 'email', reason: expect.stringContaining('format') },
      { table: 'patients', key: lost, column: 'name', reason: expect.stringContaining('zzzzzzzz') },
    ])
    const rows = await db
      .selectFrom('patients')
      .selectAll()
      .where('id', 'in', [moved, plain])
      .orderBy('id')
      .execute()
    expect(rows[0]?.['name']).toBe(other['name'])
    expect(rows[1]?.['email']).toBe('plain@example.com')
    // The other column of such a row is under the new key all the same.
    for (const text of [rows[0]?.['email'], rows[1]?.['name']])
      expect(text).toContain(`hf1.${ring.active.id}.`)
  })

  it('reports a row whose value has come twice while keys were changing, and goes on', async () => {
    const { db, ring } = await rotated(20)
    const twin = 'p999999'
    await db
      .insertInto('patients')
      .values({
        id: twin,
        ownerId: 'u2',
        email: sealField(ring, { table: 'patients', column: 'email', row: twin }, '5@example.com'),
        emailIndex: blindIndex(ring.active, 'patients', 'email', '5@example.com'),
        revision: 7,
        updatedAt: '2026-01-01T00:00:00.000Z',
      })
      .execute()
    const result = await reencrypt(db, ring, resources)
    expect(result).toMatchObject({ doneCount: 19, failedCount: 1, isComplete: true })
    expect(result.failures).toEqual([
      { table: 'patients', key: patientId(5), column: null, reason: expect.stringContaining('unique') },
    ])
  })

  it('fills an index that is missing, renews one that is old, and clears one without a value', async () => {
    const { db, ring, before } = await rotated(5)
    await reencrypt(db, ring, resources)
    const old = ring.byId(before)
    if (old === undefined) return expect.unreachable('the key is gone')
    const set = async (id: string, values: Record<string, string | null>) =>
      await db.updateTable('patients').set(values).where('id', '=', id).execute()
    await set(patientId(0), { emailIndex: null })
    await set(patientId(1), { emailIndex: blindIndex(old, 'patients', 'email', '1@example.com') })
    await set(patientId(2), { email: null })
    expect(await reencrypt(db, ring, resources)).toMatchObject({
      doneCount: 3,
      totalCount: 3,
      failedCount: 0,
    })
    const rows = await db.selectFrom('patients').select(['email', 'emailIndex']).orderBy('id').execute()
    expect(rows[2]).toEqual({ email: null, emailIndex: null })
    const wanted = [0, 1].map((number) =>
      blindIndex(ring.active, 'patients', 'email', `${number}@example.com`),
    )
    expect(rows.slice(0, 2).map((row) => row['emailIndex'])).toEqual(wanted)
  })

  it('waits until the newest key seals, or is stopped', async () => {
    const { db, ring } = await rotated(5)
    const { id, activeFrom } = await rotateKeys(db, kek, { graceMs: 300 })
    const waited: number[] = []
    const result = await reencrypt(db, ring, resources, { onWait: (until) => waited.push(until) })
    expect(waited[0]).toBe(Date.parse(activeFrom))
    expect(result).toMatchObject({ keyId: id, doneCount: 5 })
    await rotateKeys(db, kek)
    const controller = new AbortController()
    const stopped = reencrypt(db, ring, resources, {
      signal: controller.signal,
      onWait: () => controller.abort(),
    })
    expect(await stopped).toMatchObject({ isComplete: false, doneCount: 0 })
  })
})
