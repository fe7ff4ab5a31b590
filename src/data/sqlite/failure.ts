import { Problem } from '../../errors/index.ts'

// Primary result codes of SQLite (https://sqlite.org/rescode.html); the low byte of an extended code.
const busy = 5
const locked = 6
const readOnly = 8
const ioError = 10
const corrupt = 11
const full = 13
const cannotOpen = 14
const constraint = 19
const notADatabase = 26

// Extended codes of a broken constraint: which kind it was, for the log. The values stay out of it.
const constraintKinds: ReadonlyMap<number, string> = new Map([
  [275, 'a check of a table refuses it'],
  [787, 'a foreign key points at no row, or a row is still pointed at'],
  [1299, 'a column that must have a value has none'],
  [1555, 'the primary key is taken'],
  [2067, 'a unique key is taken'],
])

const unavailable: ReadonlyMap<number, string> = new Map([
  [busy, 'another process holds the database'],
  [locked, 'another connection holds the table'],
  [readOnly, 'the database is read-only'],
  [ioError, 'the disk does not answer'],
  [corrupt, 'the database file is damaged'],
  [full, 'the disk is full'],
  [cannotOpen, 'the database file cannot be opened'],
  [notADatabase, 'the file is not a database'],
])

/**
 * What an error of the database means to the caller. SQL and parameters stay in the cause, which is logged with
 * redaction and never sent.
 *
 * @returns `CONFLICT` for a broken constraint, `UNAVAILABLE` for a database that cannot answer now, `INTERNAL`
 * for everything else.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  const code = resultCode(error)
  if (code === constraint) {
    const kind = constraintKinds.get(extendedCode(error) ?? code) ?? 'a constraint of the database refuses it'
    return new Problem('CONFLICT', kind, { cause: error })
  }
  const reason = code === undefined ? undefined : unavailable.get(code)
  if (reason !== undefined) {
    return new Problem('UNAVAILABLE', reason, { cause: error, headers: { 'retry-after': '1' } })
  }
  return new Problem('INTERNAL', 'the database refused a statement', { cause: error })
}

/** The primary result code of an error of `node:sqlite`. */
export function resultCode(error: unknown): number | undefined {
  const code = extendedCode(error)
  return code === undefined ? undefined : code & 0xff
}

function extendedCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode
    : undefined
}

/** Why a database file could not be opened, and what to do about it. */
export function openingFault(path: string, error: unknown): string {
  switch (resultCode(error)) {
    case notADatabase:
    case corrupt:
      return `${path} is not a SQLite database or is damaged. It has been left as it is: restore it from a backup, or point DATABASE_URL at another file.`
    case busy:
    case locked:
      return `${path} is locked by another process. Stop that process, or point DATABASE_URL at another file.`
    case readOnly:
      return `${path} cannot be written. Give this user write access to the file and its folder.`
    case full:
      return `${path} cannot be written: the disk is full.`
    default:
      return `${path} cannot be opened. Its folder must exist and this user must be able to read and write there.`
  }
}
