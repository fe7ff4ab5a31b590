import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fixture } from '../../../test/kit/command-line.ts'
import { insertPatients, patientFaults, patientId, patientsMigration } from '../../../test/kit/patients.ts'
import { Secret } from '../../base/index.ts'
import { unguessableBytes } from '../../crypto/index.ts'
import { type Database, migrateUp, openDatabase } from '../../data/index.ts'
import {
  keysMigration,
  type LiveKeyRing,
  loadKeyRing,
  rootKeyEncryption,
  rotateKeys,
} from '../../keys/index.ts'
import { ApplicationFault, UsageFault } from '../fault.ts'
import { parseCall } from '../parse-call.ts'
import { keys } from './keys.ts'

const root = unguessableBytes(32)
const kek = rootKeyEncryption(new Secret(root), null)
let database: Database
let ring: LiveKeyRing

beforeEach(async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'holdfast-keys-')), 'app.sqlite')
  vi.stubEnv('TEST_DATABASE', path)
  vi.stubEnv('TEST_SECRET', root.toString('hex'))
  database = openDatabase(path)
  await migrateUp(database, [keysMigration, patientsMigration])
  ring = await loadKeyRing(database.db, kek)
  await insertPatients(
    database.db,
    ring,
    Array.from({ length: 30 }, (_, number) => number),
  )
})

afterEach(async () => {
  vi.unstubAllEnvs()
  ring.close()
  await database.close()
})

async function run(...words: readonly string[]) {
  const said = { out: '', err: '' }
  const terminal = {
    out: (text: string) => {
      said.out += text
    },
    err: (text: string) => {
      said.err += text
    },
    emphasise: (_: string, text: string) => text,
  }
  const code = await keys.run(parseCall(keys, words, terminal))
  return { code, ...said }
}

const app = fixture('keys.ts')

describe('holdfast keys', () => {
  it('lists the keys and what they have sealed, for a reader and for a script', async () => {
    const id = ring.active.id
    for (const words of [[app], ['list', app]]) {
      const { code, out, err } = await run(...words)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toMatch(
        new RegExp(`^key +state +values +created +seals from +retired or destroyed\n${id} +active +60 `),
      )
      expect(out).toMatch(new RegExp(`^patients\\.email +${id} +30$`, 'm'))
    }
    const { out } = await run('list', app, '--json')
    expect(JSON.parse(out)).toMatchObject({
      action: 'list',
      keys: [{ id, state: 'active', valueCount: 60 }],
      uses: [
        { table: 'patients', column: 'name', keyId: id, valueCount: 30 },
        { table: 'patients', column: 'email', keyId: id, valueCount: 30 },
      ],
    })
    expect(out).not.toContain('wrapped')
  })

  it('V14.2.4 list exits with 1 when a column holds what is not encrypted, and does not show it', async () => {
    await database.db
      .updateTable('patients')
      .set({ name: 'Ada, in the clear' })
      .where('id', '=', patientId(1))
      .execute()
    const { code, out } = await run('list', app)
    expect(code).toBe(1)
    expect(out).toContain('warning  patients.name: 1 value not encrypted')
    expect(out).not.toContain('Ada')
  })

  it('V11.2.2 rotates, seals anew and destroys', async () => {
    const before = ring.active.id
    const rotated = await run('rotate', app)
    expect(rotated.code).toBe(0)
    expect(rotated.out).toContain('1 key wrapped anew')
    expect(await run('destroy', before, app)).toMatchObject({
      code: 1,
      out: expect.stringContaining('may still seal'),
    })
    // Two minutes and ten more later.
    const past = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
    await database.db
      .updateTable('holdfast_keys')
      .set({ activeFrom: past(20), retiredAt: past(12) })
      .where('id', '=', before)
      .execute()
    await database.db
      .updateTable('holdfast_keys')
      .set({ activeFrom: past(12) })
      .where('id', '<>', before)
      .execute()
    expect(await run('destroy', before, app)).toMatchObject({
      code: 1,
      out: `60 values still under ${before}. First: holdfast keys reencrypt\n`,
    })
    const sealed = await run('reencrypt', app)
    expect(sealed.code).toBe(0)
    expect(sealed.out).toMatch(/^30 of 30 rows sealed anew under [a-z0-9]{8}, [\d,]+ rows per second\.\n$/)
    expect(sealed.err).toMatch(/^100 % {2}30 of 30 rows, [\d,]+ per second\n$/)
    expect(await run('destroy', before, app)).toEqual({
      code: 0,
      out: `Key ${before} is destroyed.\n`,
      err: '',
    })
    expect(await run('destroy', before, app)).toMatchObject({
      code: 0,
      out: expect.stringContaining('before'),
    })
    const node = await loadKeyRing(database.db, kek)
    expect(node.ids).toHaveLength(1)
    expect(await patientFaults(database.db, node, 30)).toEqual([])
    node.close()
  })

  it('reencrypt exits with 1 when a row was left as it is, and names it', async () => {
    await rotateKeys(database.db, kek, { graceMs: 0 })
    await database.db
      .updateTable('patients')
      .set({ name: 'Ada, in the clear' })
      .where('id', '=', patientId(1))
      .execute()
    const { code, out } = await run('reencrypt', app)
    expect(code).toBe(1)
    expect(out).toContain(
      `1 place left as found:\n  patients "${patientId(1)}" name: "patients.name" is not in the format`,
    )
    expect(out).not.toContain('Ada')
    const { out: json } = await run('reencrypt', app, '--json')
    expect(JSON.parse(json)).toMatchObject({ action: 'reencrypt', failedCount: 1, isComplete: true })
  })

  it('reencrypt is stopped by a signal, says how to go on, and leaves nothing behind in the process', async () => {
    const listeners = process.listenerCount('SIGINT')
    await rotateKeys(database.db, kek)
    const running = run('reencrypt', app)
    await expect.poll(() => process.listenerCount('SIGINT'), { timeout: 10_000 }).toBe(listeners + 1)
    process.emit('SIGINT')
    const { code, out, err } = await running
    expect(code).toBe(1)
    expect(out).toContain('To go on: holdfast keys reencrypt')
    expect(err).toMatch(/^(Waiting until .* when the newest key seals\.\n)?$/)
    expect(process.listenerCount('SIGINT')).toBe(listeners)
  })

  it('destroy refuses the key that seals, and one that is not there', async () => {
    const active = await run('destroy', ring.active.id, app)
    expect(active).toMatchObject({ code: 1, out: expect.stringContaining('newest') })
    expect(await run('destroy', 'zzzzzzzz', app)).toEqual({
      code: 1,
      out: 'There is no key zzzzzzzz.\n',
      err: '',
    })
  })

  const misused = [
    { words: ['lst'], says: 'keys has no "lst". Did you mean list?' },
    { words: ['rotated', app], says: 'Did you mean rotate?' },
    { words: ['destroy'], says: 'takes the ID' },
    { words: ['destroy', app], says: 'takes the ID' },
    { words: ['destroy', '../../etc', app], says: 'takes the ID' },
    { words: ['rotate', app, 'extra'], says: 'keys rotate takes [FILE].' },
    { words: ['list', '--jsn'], says: 'Did you mean --json?' },
  ]
  for (const { words, says } of misused) {
    it(`refuses ${JSON.stringify(words.map((word) => (word === app ? 'FILE' : word)))}`, async () => {
      await expect(async () => run(...words)).rejects.toThrow(UsageFault)
      await expect(async () => run(...words)).rejects.toThrow(says)
    })
  }

  it('V13.3.4 says what to set when the secret is another one', async () => {
    vi.stubEnv('TEST_SECRET', unguessableBytes(32).toString('hex'))
    await expect(run('rotate', app)).rejects.toMatchObject({
      report: expect.stringContaining('HOLDFAST_SECRET_PREVIOUS'),
    })
    await expect(run('reencrypt', app)).rejects.toMatchObject({
      report: expect.stringContaining('HOLDFAST_SECRET'),
    })
  })

  it('refuses an application without keys', async () => {
    await expect(run('list', fixture('notes.ts'))).rejects.toThrow(ApplicationFault)
  })
})
