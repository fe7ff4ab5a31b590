import { newId } from '../../base/index.ts'
import { isKnownHash } from '../../crypto/index.ts'
import { plainName, sortedRoles } from '../account.ts'
import { knownRoles } from '../administer.ts'
import { canonicalEmail } from '../email.ts'
import { type AccountsParts, timeAt } from '../parts.ts'
import { insertAccount, type NewAccount } from '../store.ts'
import { type ImportFormat, type ImportRecord, recordsOf } from './records.ts'

/** What a file of accounts may say of each. Only `email` is required. */
export const importColumns = ['email', 'name', 'passwordHash', 'roles', 'createdAt', 'disabled'] as const

/** A row that was not imported. */
export interface RefusedRow {
  /** Where it begins, counted from 1. */
  readonly line: number
  /** Never holds a value of the row. */
  readonly reason: string
}

/** How an import stands. */
export interface ImportProgress {
  readonly readCount: number
  readonly addedCount: number
  /** Accounts that were there already, from an earlier run perhaps: they are left as they are. */
  readonly presentCount: number
  readonly refusedCount: number
}

/** How an import is run. */
export interface ImportOptions {
  readonly format: ImportFormat
  readonly onRefused: (row: RefusedRow) => void
  readonly onProgress?: (progress: ImportProgress) => void
  /** Stops it between two batches; what is in stays in, and the next run goes on. */
  readonly signal?: AbortSignal
}

interface Candidate {
  readonly line: number
  readonly account: NewAccount
  readonly createdAt: string
  readonly disabledAt: string | null
}

const batchMaxCount = 500

/**
 * Takes over the accounts of another system, with their hashes. Addresses count as verified. Accounts that are there
 * already are left as they are, so an import that was stopped, or killed, is simply run again.
 *
 * @param chunks The bytes of the file.
 * @throws ImportFault for a file that is not in its form; the rows before are in
 * @see OWASP ASVS 5.0 §11.4.2 (hashes of weaker kinds are upgraded at login)
 */
export async function importAccounts(
  parts: AccountsParts,
  chunks: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImportProgress> {
  const run = new ImportRun(parts, options)
  for await (const record of recordsOf(chunks, options.format, importColumns)) {
    await run.take(record)
    if (options.signal?.aborted === true) break
  }
  await run.flush()
  return run.progress
}

class ImportRun {
  readonly #parts: AccountsParts
  readonly #options: ImportOptions
  readonly #roles: ReadonlySet<string>
  #batch: Candidate[] = []
  #counts = { readCount: 0, addedCount: 0, presentCount: 0, refusedCount: 0 }

  constructor(parts: AccountsParts, options: ImportOptions) {
    this.#parts = parts
    this.#options = options
    this.#roles = knownRoles(parts)
  }

  get progress(): ImportProgress {
    return { ...this.#counts }
  }

  async take(record: ImportRecord): Promise<void> {
    this.#counts.readCount += 1
    const outcome = 'fault' in record ? record.fault : this.#candidateOf(record.line, record.values)
    if (typeof outcome === 'string') {
      this.#counts.refusedCount += 1
      this.#options.onRefused({ line: record.line, reason: outcome })
      return
    }
    this.#batch.push(outcome)
    if (this.#batch.length >= batchMaxCount) await this.flush()
  }

  async flush(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    if (batch.length === 0) return
    const addedCount = await this.#parts.db.transaction().execute(async (trx) => {
      let count = 0
      for (const { account, createdAt, disabledAt } of batch)
        if (await insertAccount(trx, account, createdAt, { disabledAt })) count += 1
      return count
    })
    this.#counts.addedCount += addedCount
    this.#counts.presentCount += batch.length - addedCount
    this.#options.onProgress?.(this.progress)
  }

  /** What a row says, or why it is refused. */
  #candidateOf(line: number, values: ReadonlyMap<string, unknown>): Candidate | string {
    const text = (name: (typeof importColumns)[number]): string | null => {
      const value = values.get(name) ?? ''
      return typeof value === 'string' ? value.trim() : null
    }
    const email = canonicalEmail(text('email') ?? '')
    if (email === null) return 'email is not one plain e-mail address'
    const name = plainName(text('name') ?? '\n')
    if (name === null) return 'name has more than 100 characters, or control characters'
    const hash = text('passwordHash')
    if (hash === null || (hash !== '' && !isKnownHash(hash)))
      return 'passwordHash is none of argon2id, bcrypt, scrypt or PBKDF2, or its cost is out of bounds'
    const roles = rolesOf(values.get('roles'))
    if (roles === null || roles.some((role) => !this.#roles.has(role)))
      return `roles are not among ${[...this.#roles].sort().join(', ')}`
    const nowMs = this.#parts.nowMs()
    const createdAt = timeOf(text('createdAt'), nowMs)
    if (createdAt === null) return 'createdAt is no date of ISO 8601 in the past'
    const isDisabled = flagOf(values.get('disabled'))
    if (isDisabled === null) return 'disabled is neither true nor false'
    const passwordHash = hash === '' ? null : hash
    const id = newId(Date.parse(createdAt))
    return {
      line,
      account: { id, email, name, passwordHash, roles: sortedRoles(roles) },
      createdAt,
      disabledAt: isDisabled ? timeAt(nowMs) : null,
    }
  }
}

/** `admin editor` in CSV, a list in JSON. */
function rolesOf(value: unknown): readonly string[] | null {
  if (value === undefined || value === null || value === '') return []
  if (typeof value === 'string') return value.split(/[\s,;|]+/).filter((role) => role !== '')
  return Array.isArray(value) && value.every((role) => typeof role === 'string') ? value : null
}

const isoTime = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d))?$/

function timeOf(text: string | null, nowMs: number): string | null {
  if (text === '') return timeAt(nowMs)
  if (text === null || !isoTime.test(text)) return null
  const timeMs = Date.parse(text.replace(' ', 'T'))
  return Number.isNaN(timeMs) || timeMs > nowMs || timeMs < 0 ? null : timeAt(timeMs)
}

function flagOf(value: unknown): boolean | null {
  if (value === undefined || value === null || value === '' || value === 'false' || value === false)
    return false
  return value === true || value === 'true' ? true : null
}
