import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type EngineKind, engineKinds } from '../../test/kit/databases.ts'
import { insertPatients, Patient, patientFaults, patientsMigration } from '../../test/kit/patients.ts'
import { freshPostgres } from '../../test/kit/postgres.ts'
import { Secret } from '../base/index.ts'
import { unguessableBytes } from '../crypto/index.ts'
import { migrateUp, openDatabase, openPostgres } from '../data/index.ts'
import { destroyKey } from './destroy.ts'
import { rootKeyEncryption } from './key-encryption.ts'
import { keysMigration } from './migration.ts'
import { loadKeyRing } from './ring.ts'
import { rotateKeys } from './rotate.ts'

const rowCount = 5_000
const killCount = 6
const root = unguessableBytes(32)

/** A node that re-encrypts, as a process of its own. It says a line for each batch. */
function startNode(where: string): ChildProcess {
  const from = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)))
  const program = `
    const { Secret } = await import(${from('../base/index.ts')})
    const { openDatabase, openPostgres } = await import(${from('../data/index.ts')})
    const { loadKeyRing, reencrypt, rootKeyEncryption } = await import(${from('index.ts')})
    const { Patient } = await import(${from('../../test/kit/patients.ts')})
    const where = ${JSON.stringify(where)}
    const database = where.startsWith('postgres:') ? await openPostgres(new Secret(where)) : openDatabase(where)
    const kek = rootKeyEncryption(new Secret(Buffer.from('${root.toString('hex')}', 'hex')), null)
    const ring = await loadKeyRing(database.db, kek)
    const onProgress = ({ doneCount }) => console.log('done', doneCount)
    const { failedCount, isComplete } = await reencrypt(database.db, ring, [Patient], { batchRowCount: 20, onProgress })
    await database.close()
    console.log(failedCount === 0 && isComplete ? 'complete' : 'incomplete')`
  return spawn(process.execPath, ['--conditions=holdfast-source', '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** Runs a node; kills it after so many batches. Answers what it said, a line each. */
function runNode(where: string, batchCount: number): Promise<readonly string[]> {
  const child = startNode(where)
  let said = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (said.split('\n').length > batchCount) child.kill('SIGKILL')
  })
  return new Promise((resolve) => child.once('close', () => resolve(said.trim().split('\n'))))
}

async function place(kind: EngineKind) {
  if (kind === 'sqlite') {
    const path = join(mkdtempSync(join(tmpdir(), 'holdfast-keys-')), 'app.sqlite')
    const database = openDatabase(path)
    return { where: path, database, end: () => database.close() }
  }
  const postgres = await freshPostgres()
  const database = await openPostgres(new Secret(postgres.url))
  const end = async () => {
    await database.close()
    await postgres.drop()
  }
  return { where: postgres.url, database, end }
}

describe.each(engineKinds)('re-encryption on %s, killed and started again, on two nodes at once', (kind) => {
  it('V11.2.2 V2.3.3 loses no value and leaves none behind', { timeout: 60_000 }, async () => {
    const { where, database, end } = await place(kind)
    const { db } = database
    const kek = rootKeyEncryption(new Secret(root), null)
    await migrateUp(database, [keysMigration, patientsMigration])
    const ring = await loadKeyRing(db, kek)
    try {
      await insertPatients(
        db,
        ring,
        Array.from({ length: rowCount }, (_, number) => number),
      )
      const before = ring.active.id
      await rotateKeys(db, kek, { graceMs: 0 })
      let batchesOfKilled = 0
      for (let round = 0; round < killCount / 2; round++) {
        const batches = () => 1 + Math.floor(Math.random() * 10)
        const said = await Promise.all([runNode(where, batches()), runNode(where, batches())])
        for (const lines of said) {
          expect(lines.at(-1)).toMatch(/^done /)
          batchesOfKilled += lines.length
        }
      }
      // They did die in the middle: something is done, and something is left.
      expect(batchesOfKilled).toBeGreaterThanOrEqual(killCount)
      const left = await destroyKey(db, before, [Patient], { waitMs: 0 })
      expect(left).toMatchObject({ kind: 'in-use' })
      const said = await Promise.all([1, 2].map(() => runNode(where, Number.POSITIVE_INFINITY)))
      expect(said.map((lines) => lines.at(-1))).toEqual(['complete', 'complete'])
      await ring.refresh()
      expect(await patientFaults(db, ring, rowCount)).toEqual([])
      expect(await destroyKey(db, before, [Patient], { waitMs: 0 })).toEqual({ kind: 'destroyed' })
    } finally {
      ring.close()
      await end()
    }
  })
})
