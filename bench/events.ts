import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChainWriter } from '../src/audit/chain-writer.ts'
import { eventsMigration, type OpenTrail, openTrail, trailKeys, verifyTrail } from '../src/audit/index.ts'
import { type EventRow, rowOf } from '../src/audit/row.ts'
import { Secret } from '../src/base/index.ts'
import { type Database, migrateUp, openDatabase, openPostgres } from '../src/data/index.ts'
import { recordOf, type SecurityEvent } from '../src/events/index.ts'
import { freshPostgres } from '../test/kit/postgres.ts'

// What the audit trail costs: emitting on the path of a request, writing, and verifying a million rows.
//   node --conditions=holdfast-source bench/events.ts [rows to verify]

const verifiedCount = Number(process.argv[2] ?? 1_000_000)
const writtenCount = 50_000
const keys = trailKeys(new Secret(Buffer.alloc(32, 7)), null)
const file = join(tmpdir(), `holdfast-bench-events-${process.pid}.db`)

function eventAt(number: number): SecurityEvent {
  return {
    event: 'authn_login_fail',
    userId: `user-${number % 1_000}`,
    sessionId: '0190d5a0-0000-7000-8000-000000000000',
    address: `203.0.113.${number & 255}`,
    route: 'POST /api/auth/login',
    requestId: '0190d5a0-0000-7000-8000-000000000001',
    reason: 'wrong password',
    details: { attempt: number },
  }
}

function open(database: Database): OpenTrail {
  const { db } = database
  return openTrail({ db, keys, kind: 'job', onFailure: (error) => console.error(error) })
}

async function emitting(trail: OpenTrail): Promise<void> {
  const events = Array.from({ length: 1_000 }, (_, number) => eventAt(number))
  let calledMs = 0
  let rounds = 0
  const before = process.cpuUsage()
  // A thousand at a time, so that what is measured is the call, and what comes after it is not.
  for (; rounds * 1_000 < writtenCount; rounds += 1) {
    const startMs = performance.now()
    for (const event of events) trail.emit(event)
    calledMs += performance.now() - startMs
    await trail.idle()
  }
  const { user, system } = process.cpuUsage(before)
  const count = rounds * 1_000
  console.log(`emit, on the path of the caller: ${((calledMs * 1e6) / count).toFixed(0)} ns`)
  console.log(`processor time per event in all: ${((user + system) / count).toFixed(1)} us`)
}

async function writing(trail: OpenTrail, engine: string): Promise<void> {
  const startMs = performance.now()
  for (let number = 0; number < writtenCount; number += 1) trail.emit(eventAt(number))
  await trail.idle()
  const perSecond = (writtenCount * 1e3) / (performance.now() - startMs)
  console.log(`${engine}: ${perSecond.toFixed(0)} events a second emitted, written and sealed`)
}

async function verifying(database: Database, engine: string, rowCount: number): Promise<void> {
  const writer = new ChainWriter(database.db, keys[0], Date.now)
  const startMs = performance.now()
  for (let done = 0; done < rowCount; done += 5_000) {
    const fresh = Array.from(
      { length: 5_000 },
      (_, number): EventRow => rowOf(recordOf(eventAt(done + number), Date.now())),
    )
    await writer.seal({ fresh, committed: [] })
  }
  await writer.close()
  const builtMs = performance.now()
  const report = await verifyTrail(database.db, keys)
  const seconds = (performance.now() - builtMs) / 1e3
  console.log(
    `${engine}: ${report.rowCount} rows verified in ${seconds.toFixed(1)} s, ${report.findingCount} findings ` +
      `(written in ${((builtMs - startMs) / 1e3).toFixed(0)} s)`,
  )
}

async function onEngine(database: Database, engine: string, rowCount: number): Promise<void> {
  await migrateUp(database, [eventsMigration])
  const trail = open(database)
  await writing(trail, engine)
  if (engine === 'SQLite') await emitting(trail)
  await trail.close()
  await verifying(database, engine, rowCount)
}

const sqlite = openDatabase(file)
try {
  await onEngine(sqlite, 'SQLite', verifiedCount)
} finally {
  await sqlite.close()
  for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
}
const server = await freshPostgres()
const postgres = await openPostgres(new Secret(server.url), { connectionCount: 4 })
try {
  await onEngine(postgres, 'PostgreSQL', verifiedCount / 10)
} finally {
  await postgres.close()
  await server.drop()
}
