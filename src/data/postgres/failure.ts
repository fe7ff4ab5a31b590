import { Problem } from '../../errors/index.ts'

const constraintKinds: ReadonlyMap<string, string> = new Map([
  ['23502', 'a column that must have a value has none'],
  ['23503', 'a foreign key points at no row, or a row is still pointed at'],
  ['23505', 'a unique key is taken'],
  ['23514', 'a check of a table refuses it'],
])

// Values that a client has sent and that the column's type does not take.
const unfitting: ReadonlySet<string> = new Set([
  '22001',
  '22003',
  '22007',
  '22008',
  '22021',
  '22P02',
  '22P05',
])

const unavailable: ReadonlyMap<string, string> = new Map([
  ['40001', 'two transactions could not both be as if they had run alone'],
  ['40P01', 'two transactions waited for each other'],
  ['55P03', 'a lock was not to be had in time'],
  ['57014', 'the statement took too long'],
  ['25P03', 'the transaction was idle for too long'],
  ['25006', 'the database takes no writes now'],
])

// Reasons for which a server refuses a session.
const refusedSession: ReadonlyMap<string, string> = new Map([
  ['28000', 'the database does not let this user in'],
  ['28P01', 'the database does not know this user with this password'],
  ['3D000', 'the server has no such database'],
  ['22023', 'the role of requests is missing: run holdfast migrate up'],
  ['42501', 'this user may not act as the role of requests: run holdfast migrate up'],
])

const connectionCodes =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_|ENOENT|CERT_|DEPTH_|SELF_SIGNED|UNABLE_|ERR_TLS|ERR_SSL)/
const connectionMessages =
  /^(Connection terminated|Client has encountered a connection error|timeout e|Client was closed|Cannot use a pool|The server does not support SSL)/

/** What an error of PostgreSQL or of the way to it means. Its text stays in the cause, for the log. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  forgetValues(error)
  const code = codeOf(error)
  if (code.startsWith('23')) {
    return new Problem('CONFLICT', constraintKinds.get(code) ?? 'a constraint of the database refuses it', {
      cause: error,
    })
  }
  if (unfitting.has(code))
    return new Problem('VALIDATION_FAILED', 'a value does not fit its column', { cause: error })
  // The second wall: the row policies of the database have refused what the first has let through.
  if (code === '42501')
    return new Problem('NOT_FOUND', 'the policies of the database refuse it', { cause: error })
  if (isPlanStale(error)) return unavailableFor('a table has changed under a prepared statement', error)
  const reason =
    unavailable.get(code) ?? (isConnectionLost(error, code) ? 'the database does not answer' : undefined)
  if (reason !== undefined) return unavailableFor(reason, error)
  return new Problem('INTERNAL', 'the database refused a statement', { cause: error })
}

/** What PostgreSQL says beside its message holds values of rows ("Key (email)=(…) already exists"). */
function forgetValues(error: unknown): void {
  if (!(error instanceof Error)) return
  for (const member of ['detail', 'where', 'internalQuery']) Reflect.deleteProperty(error, member)
}

/** What it means that there is no session: whatever the reason is, a request can come again when it is mended. */
export function connectProblemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (isPoolBusy(error)) return unavailableFor('every connection is in use', error)
  return unavailableFor(refusedSession.get(codeOf(error)) ?? 'the database does not answer', error)
}

function unavailableFor(reason: string, cause: unknown): Problem {
  return new Problem('UNAVAILABLE', reason, { cause, headers: { 'retry-after': '1' } })
}

/** True for a prepared statement that the server has lost, or that no longer fits its tables. */
export function isPlanStale(error: unknown): boolean {
  // 0A000 stands for much else; the name of the function that raised it is in no language.
  if (codeOf(error) === '0A000')
    return error instanceof Error && 'routine' in error && error.routine === 'RevalidateCachedQuery'
  return codeOf(error) === '26000'
}

/** True when there is no connection, or none any more. */
export function isConnectionLost(error: unknown, code: string = codeOf(error)): boolean {
  return (
    /^(08|53|57P|58)/.test(code) ||
    connectionCodes.test(code) ||
    (error instanceof Error && connectionMessages.test(error.message))
  )
}

/** True for a pool with no free connection: the server is well, we are busy. */
export function isPoolBusy(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout exceeded when trying to connect'
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** True for a statement that was refused only because one before it in the same transaction had failed. */
export function isAfterFailure(error: unknown): boolean {
  return error instanceof Problem && codeOf(error.cause) === '25P02'
}
