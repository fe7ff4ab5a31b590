import { assert } from '../base/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { type Account, administratorRole, sortedRoles } from './account.ts'
import { accountsTable } from './migration.ts'

/** The account of an address in its one spelling. */
export async function accountByEmail(db: MigrationDatabase, email: string): Promise<Account | null> {
  return await oneWhere(db, 'email', email)
}

/** The account of an id. */
export async function accountById(db: MigrationDatabase, id: string): Promise<Account | null> {
  return await oneWhere(db, 'id', id)
}

async function oneWhere(
  db: MigrationDatabase,
  column: 'email' | 'id',
  value: string,
): Promise<Account | null> {
  const row = await db.selectFrom(accountsTable).selectAll().where(column, '=', value).executeTakeFirst()
  return row === undefined ? null : accountOf(row)
}

/** What a new account begins with. */
export interface NewAccount {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly passwordHash: string | null
  readonly roles: readonly string[]
}

/** Adds an account. @returns false when the address has one already: of two at once, one is told so */
export async function insertAccount(
  db: MigrationDatabase,
  account: NewAccount,
  at: string,
  { disabledAt = null }: { readonly disabledAt?: string | null } = {},
): Promise<boolean> {
  const { roles, ...columns } = account
  const inserted = await db
    .insertInto(accountsTable)
    .values({
      ...columns,
      ...roleColumns(roles),
      version: 1,
      createdAt: at,
      updatedAt: at,
      passwordChangedAt: account.passwordHash === null ? null : at,
      disabledAt,
    })
    .onConflict((conflict) => conflict.column('email').doNothing())
    .returning('id')
    .execute()
  return inserted.length === 1
}

/** What may change of an account. */
export interface AccountChange {
  readonly email?: string
  readonly name?: string
  readonly passwordHash?: string
  readonly passwordChangedAt?: string
  readonly roles?: readonly string[]
  readonly disabledAt?: string | null
}

/**
 * Changes an account. @returns it as it is now, or `null` when it is not there
 *
 * @param endsTokens True to raise the version, by which the access tokens of before are dead.
 */
export async function changeAccount(
  db: MigrationDatabase,
  id: string,
  { roles, ...columns }: AccountChange,
  { at, endsTokens }: { readonly at: string; readonly endsTokens: boolean },
): Promise<Account | null> {
  const row = await db
    .updateTable(accountsTable)
    .set({ ...columns, ...(roles === undefined ? {} : roleColumns(roles)), updatedAt: at })
    .$if(endsTokens, (query) => query.set((eb) => ({ version: eb('version', '+', 1) })))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  return row === undefined ? null : accountOf(row)
}

/** Puts a stronger hash of the same password in the place of one; not when the password has changed meanwhile. */
export async function upgradeHash(
  db: MigrationDatabase,
  id: string,
  change: { readonly from: string; readonly to: string },
): Promise<void> {
  await db
    .updateTable(accountsTable)
    .set({ passwordHash: change.to })
    .where('id', '=', id)
    .where('passwordHash', '=', change.from)
    .execute()
}

/** Notes a login. */
export async function noteLogin(db: MigrationDatabase, id: string, at: string): Promise<void> {
  await db.updateTable(accountsTable).set({ lastLoginAt: at }).where('id', '=', id).execute()
}

/** Removes an account. @returns false when it is not there */
export async function deleteAccountRow(db: MigrationDatabase, id: string): Promise<boolean> {
  const gone = await db.deleteFrom(accountsTable).where('id', '=', id).returning('id').execute()
  return gone.length === 1
}

/** Whether any account that works is an administrator's. */
export async function hasAdministrator(db: MigrationDatabase, exceptId: string = ''): Promise<boolean> {
  const row = await db
    .selectFrom(accountsTable)
    .select('id')
    .where('isAdministrator', '=', 1)
    .where('disabledAt', 'is', null)
    .where('id', '<>', exceptId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** The administrators that can act. */
export async function administratorIds(db: MigrationDatabase): Promise<readonly string[]> {
  const rows = await db
    .selectFrom(accountsTable)
    .select('id')
    .where('isAdministrator', '=', 1)
    .where('disabledAt', 'is', null)
    .execute()
  return rows.map(({ id }) => String(id))
}

/** How many administrators can act. */
export async function countAdministrators(db: MigrationDatabase): Promise<number> {
  const row = await db
    .selectFrom(accountsTable)
    .select((eb) => eb.fn.countAll().as('count'))
    .where('isAdministrator', '=', 1)
    .where('disabledAt', 'is', null)
    .executeTakeFirst()
  return Number(row?.['count'] ?? 0)
}

/**
 * Locks every administrator's account until the transaction ends, so that two who remove one another at the same time
 * come one after the other. SQLite has one writer, and needs no lock.
 */
export async function lockAdministrators(db: MigrationDatabase): Promise<void> {
  await db
    .updateTable(accountsTable)
    .set((eb) => ({ isAdministrator: eb.ref('isAdministrator') }))
    .where('isAdministrator', '=', 1)
    .execute()
}

/** Reads a row of the table. */
export function accountOf(row: Readonly<Record<string, string | number | null>>): Account {
  const roles: unknown = JSON.parse(String(row['roles']))
  assert(Array.isArray(roles), 'an account holds a list of roles')
  return {
    id: String(row['id']),
    email: String(row['email']),
    name: String(row['name']),
    passwordHash: textOrNull(row['passwordHash']),
    version: Number(row['version']),
    roles: roles.map(String),
    createdAt: String(row['createdAt']),
    updatedAt: String(row['updatedAt']),
    passwordChangedAt: textOrNull(row['passwordChangedAt']),
    lastLoginAt: textOrNull(row['lastLoginAt']),
    disabledAt: textOrNull(row['disabledAt']),
  }
}

function textOrNull(value: string | number | null | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function roleColumns(roles: readonly string[]): { roles: string; isAdministrator: number } {
  const sorted = sortedRoles(roles)
  return { roles: JSON.stringify(sorted), isAdministrator: sorted.includes(administratorRole) ? 1 : 0 }
}
