import { type Kysely, sql, type Transaction } from 'kysely'
import { sha256 } from '../../crypto/index.ts'
import { DatabaseFault } from '../fault.ts'
import type { AnyTables } from '../open.ts'
import type { Resource } from '../resource.ts'
import { type ColumnTypes, PolicyWriter, policySchema } from './policies.ts'
import { named, quoted } from './session-caller.ts'

/** What the second wall is made of. */
export interface PolicyParts {
  readonly resources: readonly Resource[]
  /** The role that the application's sessions run as. It is made when it is not there. */
  readonly role: string
  /** Tables of Holdfast's own that a request's transaction writes to, such as stored replies. */
  readonly ownTables: readonly string[]
}

// Two nodes that start at once must not both make the policies; the number is this lock's name.
const policyLock = 4_862_117_309

/**
 * Makes the row-level security of PostgreSQL say what the resources declare: a role that owns nothing and may do
 * nothing else, and policies that hold for it. Does nothing when they are there already.
 *
 * @returns whether anything had to be changed
 * @throws DatabaseFault when the role has rights that would make the policies void.
 * @see OWASP ASVS 5.0 §8.2.2, §13.2.2
 * @see CVE-2018-1058 (search path)
 */
export async function applyPolicies(db: Kysely<AnyTables>, parts: PolicyParts): Promise<boolean> {
  return await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(policyLock)})`.execute(trx)
    await makeRole(trx, parts.role)
    const { statements, mark } = await statementsOf(trx, parts)
    if (await isInPlace(trx, parts, mark)) return false
    await dropPolicies(trx)
    for (const statement of statements) await sql.raw(statement).execute(trx)
    await sql.raw(`comment on schema ${policySchema} is ${quoted(mark)}`).execute(trx)
    return true
  })
}

/**
 * Takes every policy away: a column that a policy names can neither be dropped nor change its type. Until they are
 * made again, the application's role sees nothing.
 */
export async function dropPolicies(db: Kysely<AnyTables>): Promise<void> {
  const { rows } = await sql<{ name: string; table: string }>`
    select policyname as name, tablename as "table" from pg_policies
    where schemaname = 'public' and policyname like 'holdfast\\_%'`.execute(db)
  for (const { name, table } of rows)
    await sql.raw(`drop policy ${named(name)} on ${named(table)}`).execute(db)
  await sql.raw(`drop schema if exists ${policySchema} cascade`).execute(db)
}

/** @throws DatabaseFault when the policies are not those of the resources. */
export async function requirePolicies(db: Kysely<AnyTables>, parts: PolicyParts): Promise<void> {
  const { mark } = await statementsOf(db, parts)
  if (await isInPlace(db, parts, mark)) return
  throw new DatabaseFault(
    'The row policies of the database are not those of the application. Run "holdfast migrate up" first.',
    undefined,
  )
}

async function statementsOf(
  db: Kysely<AnyTables>,
  { resources, role, ownTables }: PolicyParts,
): Promise<{ readonly statements: readonly string[]; readonly mark: string }> {
  const statements = [
    `grant usage on schema public to ${named(role)}`,
    // For keys that the database counts.
    `grant usage on all sequences in schema public to ${named(role)}`,
    ...ownTables.map((table) => `grant select, insert, update, delete on ${named(table)} to ${named(role)}`),
    ...new PolicyWriter(resources, await columnTypes(db, resources), role).statements(),
  ]
  return { statements, mark: sha256(statements.join(';\n')).toString('hex') }
}

async function makeRole(trx: Transaction<AnyTables>, role: string): Promise<void> {
  const { rows } = await sql<{ isStrong: boolean }>`
    select rolsuper or rolbypassrls or rolcanlogin as "isStrong" from pg_roles where rolname = ${role}`.execute(
    trx,
  )
  if (rows[0]?.isStrong === true) {
    throw new DatabaseFault(
      `The role ${role} may log in, is a superuser or is exempt from row policies. Drop it, or take these rights from it.`,
      undefined,
    )
  }
  if (rows.length === 0) {
    await sql
      .raw(`create role ${named(role)} nologin nosuperuser nocreatedb nocreaterole nobypassrls`)
      .execute(trx)
  }
  // Sessions switch to it, which takes membership.
  await sql.raw(`grant ${named(role)} to current_user`).execute(trx)
}

/** The mark says that the policies were made; the tables may have been made anew since, without them. */
async function isInPlace(
  db: Kysely<AnyTables>,
  { resources, role }: PolicyParts,
  mark: string,
): Promise<boolean> {
  if ((await currentMark(db)) !== mark) return false
  for (const { table, owner } of resources) {
    const { rows } = await sql<{ isGuarded: boolean; policyCount: number }>`
      select relrowsecurity and has_table_privilege(${role}::text, pg_class.oid, 'select') as "isGuarded",
        (select count(*)::int from pg_policy where polrelid = pg_class.oid and polname like 'holdfast\_%') as "policyCount"
      from pg_class where pg_class.oid = to_regclass(${`public.${named(table)}`})`.execute(db)
    const [found] = rows
    if (found?.isGuarded !== true || found.policyCount !== (owner.kind === 'shared' ? 1 : 4)) return false
  }
  return true
}

async function currentMark(db: Kysely<AnyTables>): Promise<string | null> {
  const { rows } = await sql<{ mark: string | null }>`
    select obj_description(oid, 'pg_namespace') as mark from pg_namespace where nspname = ${policySchema}`.execute(
    db,
  )
  return rows[0]?.mark ?? null
}

async function columnTypes(db: Kysely<AnyTables>, resources: readonly Resource[]): Promise<ColumnTypes> {
  const types = new Map<string, string>()
  for (const { table } of resources) {
    const { rows } = await sql<{ name: string; type: string }>`
      select attname as name, format_type(atttypid, null) as type from pg_attribute
      where attrelid = to_regclass(${`public.${named(table)}`}) and attnum > 0 and not attisdropped`.execute(
      db,
    )
    if (rows.length === 0) {
      throw new DatabaseFault(
        `The database has no table "${table}" in the schema public, which a resource declares. Add a migration that makes it.`,
        undefined,
      )
    }
    for (const { name, type } of rows) types.set(`${table}.${name}`, type)
  }
  return (table, column) => types.get(`${table}.${column}`) ?? 'text'
}
