import { afterEach, describe, expect, it } from 'vitest'
import { engineKinds, type FreshDatabase, freshDatabase } from '../../test/kit/databases.ts'
import { Secret } from '../base/index.ts'
import { blindIndexes, sealField, unguessableBytes } from '../crypto/index.ts'
import { migrateUp } from '../data/index.ts'
import { fieldVault } from './field-vault.ts'
import { type KeyEncryption, rootKeyEncryption } from './key-encryption.ts'
import { keysMigration, keysTable } from './migration.ts'
import { type KeyRingOptions, type LiveKeyRing, loadKeyRing, ringMaxAgeMs } from './ring.ts'
import { rotateKeys } from './rotate.ts'

const kek = rootKeyEncryption(new Secret(unguessableBytes(32)), null)
const place = { table: 'patients', column: 'name', row: '1' }

describe.each(engineKinds)('keys on %s', (kind) => {
  const opened: FreshDatabase[] = []
  const rings: LiveKeyRing[] = []

  async function fresh() {
    const made = await freshDatabase(kind)
    opened.push(made)
    await migrateUp(made.database, [keysMigration])
    return made.database.db
  }

  async function load(db: Awaited<ReturnType<typeof fresh>>, options: KeyRingOptions = {}, by = kek) {
    const ring = await loadKeyRing(db, by, options)
    rings.push(ring)
    return ring
  }

  afterEach(async () => {
    for (const ring of rings.splice(0)) ring.close()
    for (const made of opened.splice(0)) await made.drop()
  })

  it('V11.2.2 are made on the first start, one for nodes that start at once', async () => {
    const db = await fresh()
    const nodes = await Promise.all(Array.from({ length: 6 }, () => load(db)))
    const [id] = nodes[0]?.ids ?? []
    expect(id).toMatch(/^[a-z0-9]{8}$/)
    for (const ring of nodes) {
      expect(ring.ids).toEqual([id])
      expect(ring.active.key.reveal()).toHaveLength(32)
      expect(ring.active.key.reveal().equals(nodes[0]?.active.key.reveal() ?? Buffer.alloc(0))).toBe(true)
    }
    expect(await db.selectFrom(keysTable).selectAll().execute()).toHaveLength(1)
  })

  it('V13.3.1 stand in the database only wrapped', async () => {
    const db = await fresh()
    const ring = await load(db)
    const stored = JSON.stringify(await db.selectFrom(keysTable).selectAll().execute())
    const bytes = ring.active.key.reveal()
    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      expect(stored).not.toContain(bytes.toString(encoding))
  })

  it('V11.3.3 do not open when two of them are exchanged in the table', async () => {
    const db = await fresh()
    await load(db)
    await rotateKeys(db, kek, { graceMs: 0 })
    const [a, b] = await db.selectFrom(keysTable).selectAll().execute()
    await db
      .updateTable(keysTable)
      .set({ wrapped: b?.['wrapped'] ?? null })
      .where('id', '=', a?.['id'] ?? '')
      .execute()
    await expect(load(db)).rejects.toThrow('does not open')
  })

  it('V11.2.2 rotate: the new one seals, the old one opens, on every node', async () => {
    const db = await fresh()
    const ring = await load(db)
    const other = await load(db)
    const before = ring.active.id
    const text = sealField(ring, place, 'Ada')
    const rotation = await rotateKeys(db, kek, { graceMs: 0 })
    expect(rotation).toMatchObject({ previous: before, rewrappedCount: 1 })
    await ring.refresh()
    expect(ring.active.id).toBe(rotation.id)
    expect(ring.ids).toEqual([rotation.id, before])
    expect(fieldVault(ring).open(place, text)).toBe('Ada')
    // A node that has not read the table since meets the new key, and fetches it.
    const sealed = sealField(ring, place, 'Eve')
    expect(other.byId(rotation.id)).toBeUndefined()
    expect(await fieldVault(other).open(place, sealed)).toBe('Eve')
  })

  it('V11.2.2 have one active key, however many rotations run at once', async () => {
    const db = await fresh()
    const ring = await load(db)
    const rotations = await Promise.all(Array.from({ length: 5 }, () => rotateKeys(db, kek, { graceMs: 0 })))
    // One that begins when another has ended rotates once more; of those that overlap, one makes the key.
    const made = new Set(rotations.map(({ id }) => id)).size
    await ring.refresh()
    expect(ring.ids).toHaveLength(made + 1)
    const states = (await db.selectFrom(keysTable).select('state').execute()).map(({ state }) => state)
    expect(states.filter((state) => state === 'active')).toHaveLength(1)
  })

  it('are known to every node before they seal, so that no lookup misses a value', async () => {
    const db = await fresh()
    let time = Date.parse('2026-01-01T00:00:00.000Z')
    const now = () => time
    const ring = await load(db, { now })
    const before = ring.active.id
    const { id, activeFrom } = await rotateKeys(db, kek, { now })
    expect(activeFrom).toBe('2026-01-01T00:02:00.000Z')
    time += 60_000
    await ring.refresh()
    expect(ring.active.id).toBe(before)
    expect(ring.next).toEqual({ id, from: Date.parse(activeFrom) })
    const indexes = blindIndexes(ring, 't', 'c', 'x').map((index) => index.slice(0, 8))
    expect(indexes).toEqual([before, id])
    time += 60_000
    expect(ring.active.id).toBe(id)
    expect(ring.next).toBeUndefined()
    expect(ring.keys.map((key) => key.id)).toEqual([id, before])
  })

  it('keep their order when the clock of the node that rotates is behind', async () => {
    const db = await fresh()
    const ring = await load(db)
    const first = await rotateKeys(db, kek, { graceMs: 0 })
    const late = await rotateKeys(db, kek, { graceMs: 0, now: () => Date.parse('2020-01-01T00:00:00.000Z') })
    expect(late.activeFrom > first.activeFrom).toBe(true)
    await ring.refresh()
    expect(ring.ids.slice(0, 2)).toEqual([late.id, first.id])
  })

  it('V13.3.4 are wrapped anew by a rotation, so that the root secret before can go', async () => {
    const db = await fresh()
    const old = new Secret(unguessableBytes(32))
    const root = new Secret(unguessableBytes(32))
    const text = sealField(await load(db, {}, rootKeyEncryption(old, null)), place, 'Ada')
    await expect(load(db, {}, rootKeyEncryption(root, null))).rejects.toThrow('HOLDFAST_SECRET')
    await expect(rotateKeys(db, rootKeyEncryption(root, null))).rejects.toThrow('HOLDFAST_SECRET')
    expect(await db.selectFrom(keysTable).selectAll().execute()).toHaveLength(1)
    expect(await rotateKeys(db, rootKeyEncryption(root, old), { graceMs: 0 })).toMatchObject({
      rewrappedCount: 1,
    })
    const ring = await load(db, {}, rootKeyEncryption(root, null))
    expect(fieldVault(ring).open(place, text)).toBe('Ada')
  })

  it('V11.2.5 do not seal, nor answer lookups, on a node that has lost touch with the table', async () => {
    const db = await fresh()
    let time = Date.now()
    const ring = await load(db, { now: () => time })
    const text = sealField(ring, place, 'Ada')
    for (const later of [ringMaxAgeMs, ringMaxAgeMs + 1, -ringMaxAgeMs - 1]) {
      const start = time
      time += later
      const seal = () => sealField(ring, place, 'Ada')
      if (later === ringMaxAgeMs) expect(seal).not.toThrow()
      else {
        expect(seal).toThrow('UNAVAILABLE')
        expect(() => blindIndexes(ring, 't', 'c', 'x')).toThrow('UNAVAILABLE')
      }
      // What is sealed under a known key opens all the same.
      expect(fieldVault(ring).open(place, text)).toBe('Ada')
      time = start
    }
    time += 2 * ringMaxAgeMs
    await ring.refresh()
    expect(() => sealField(ring, place, 'Ada')).not.toThrow()
  })

  it('V15.2.2 are not read again for each text with a made-up key id', async () => {
    const db = await fresh()
    let time = Date.now()
    const ring = await load(db, { now: () => time })
    let readings = 0
    const refresh = ring.refresh.bind(ring)
    ring.refresh = () => {
      readings += 1
      return refresh()
    }
    const strange = `hf1.zzzzzzzz.${'A'.repeat(60)}`
    const open = async () => fieldVault(ring).open(place, strange)
    for (let count = 0; count < 3; count++) await expect(open()).rejects.toThrow('not among the live ones')
    expect(readings).toBe(1)
    time += 1_000
    await expect(open()).rejects.toThrow('not among the live ones')
    expect(readings).toBe(2)
  })

  it('are read regularly, and a failing service is told of without ending anything', async () => {
    const db = await fresh()
    let isDown = false
    const service: KeyEncryption = {
      id: 'service',
      wrap: (key, context) => kek.wrap(key, context),
      async unwrap(wrapped, context) {
        if (isDown) throw new RangeError('the service is down')
        return await kek.unwrap(wrapped, context)
      },
    }
    const told: unknown[] = []
    const ring = await load(db, { refreshMs: 5, onFailure: (error) => told.push(error) }, service)
    const before = ring.active.id
    isDown = true
    const { id } = await rotateKeys(db, kek, { graceMs: 0 })
    await expect.poll(() => told.length, { timeout: 10_000 }).toBeGreaterThan(0)
    expect(told[0]).toBeInstanceOf(RangeError)
    expect(ring.ids).toEqual([before])
    isDown = false
    await expect.poll(() => ring.ids, { timeout: 10_000 }).toEqual([id, before])
  })

  it('are refused when the table was tampered with or emptied', async () => {
    const db = await fresh()
    const ring = await load(db)
    await db.updateTable(keysTable).set({ activeFrom: 'soon' }).execute()
    await expect(load(db)).rejects.toThrow('no valid times')
    await db.updateTable(keysTable).set({ activeFrom: '2026-01-01T00:00:00.000Z', wrapped: null }).execute()
    await expect(load(db)).rejects.toThrow('is empty')
    await db.deleteFrom(keysTable).execute()
    await expect(ring.refresh()).rejects.toThrow('no live key')
    expect(ring.ids).toHaveLength(1)
  })
})
