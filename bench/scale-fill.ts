import { DatabaseSync } from 'node:sqlite'
import type { Dimension } from './scale-words.ts'

/** Rows that are put straight into the database, from one number to the next. */
export interface Filling {
  readonly file: string
  /** Of the account that reads and lists. */
  readonly ownerId: string
  /** How many rows of the kind are there, and how many shall be. */
  readonly fromCount: number
  readonly toCount: number
}

const at = '2026-01-01T00:00:00.000Z'
const later = '2099-01-01T00:00:00.000Z'
const busyMs = 30_000

// An id of the shape that the application makes, out of a number: told apart from made ones by its last group.
const idOf = (number: string, kind: string): string =>
  `printf('01900000-0000-7000-8${kind}00-%012x', ${number})`
// Times that rise with the number, a second apart, as rows are made.
const timeOf = (number: string): string =>
  `strftime('%Y-%m-%dT%H:%M:%S.000Z', 1700000000 + ${number}, 'unixepoch')`

/** The id of a filled note. */
export function noteIdOf(number: number): string {
  return `01900000-0000-7000-8300-${number.toString(16).padStart(12, '0')}`
}

const statements: Readonly<Record<Exclude<Dimension, 'limit keys'>, string>> = {
  // All with the hash of the first account: they can sign in with its password.
  accounts: `insert into holdfast_accounts (id, email, name, passwordHash, version, roles, isAdministrator, createdAt, updatedAt)
    select ${idOf('n', '1')}, 'person' || n || '@example.com', '',
      (select passwordHash from holdfast_accounts where email = 'person0@example.com'), 1, '[]', 0, ${timeOf('n')}, '${at}' from numbers`,
  sessions: `insert into holdfast_sessions (id, userId, transport, methods, authTimeSeconds, userAgent, address, createdAt,
      lastSeenAt, idleUntil, expiresAt, generation, tokenHash, salt, rotatedAt)
    select ${idOf('n', '2')}, ${idOf('n / 3', '1')}, 'bearer', '["pwd"]', 1700000000, 'bench', '10.0.0.1', '${at}', ${timeOf('n')},
      '${later}', '${later}', 1, 'x' || n, 'x', '${at}' from numbers`,
  'notes of one owner': notes('$owner'),
  'notes of many': notes(idOf('n / 20', '1')),
  'audit events': `insert into holdfast_events (id, at, event, level, outcome, userId, address, route, chain, seq, mac, hash)
    select ${idOf('n', '4')}, ${timeOf('n')}, 'authn_login_success', 'info', 'success', ${idOf('n / 10', '1')}, '10.0.0.1',
      'POST /api/auth/login', 'bench', n, 'x', 'x' from numbers`,
}

function notes(owner: string): string {
  return `insert into notes (id, ownerId, title, body, createdAt, updatedAt, revision)
    select ${idOf('n', '3')}, ${owner}, 'Note ' || n, 'Bread, tea, lemons. And a body as long as a short note has, more or less.', ${timeOf('n')}, '${at}', 1 from numbers`
}

/** Puts rows in, in one transaction beside the running server. */
export function fill(
  dimension: keyof typeof statements,
  { file, ownerId, fromCount, toCount }: Filling,
): void {
  const database = new DatabaseSync(file, { timeout: busyMs })
  try {
    const numbers = `with recursive numbers(n) as (select cast($from as integer) union all select n + 1 from numbers where n + 1 < $to)`
    const sql = statements[dimension].replace('\n    select', `\n    ${numbers} select`)
    const owner = sql.includes('$owner') ? { $owner: ownerId } : {}
    database.prepare(sql).run({ $from: fromCount, $to: toCount, ...owner })
    // As a database in use has them: what the planner knows, and no log that is longer than the data.
    database.exec('pragma optimize; pragma wal_checkpoint(truncate)')
  } finally {
    database.close()
  }
}
