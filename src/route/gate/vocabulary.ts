import { rulesOf } from '../../data/index.ts'
import type { GrantedRule, Resource, RowRule } from '../../data/resource.ts'
import { describeSchema, type JsonSchema } from '../../schema/index.ts'
import type { Vocabulary } from '../words.ts'
import { examineColumns, requireColumn } from './columns.ts'
import { examineLimitClass } from './limits.ts'
import { Subject } from './subject.ts'
import type { Violation } from './violation.ts'

/** The rules about an application's vocabulary: its resources and limit classes. */
export function examineVocabulary(vocabulary: Vocabulary): Violation[] {
  return [
    ...vocabulary.resources.flatMap((resource) => examineResource(resource, vocabulary)),
    ...Object.entries(vocabulary.limits).flatMap(([name, limit]) => {
      const subject = new Subject(`limit "${name}"`, 'words()')
      examineLimitClass(name, limit, subject)
      return subject.violations
    }),
    ...Object.entries(vocabulary.permissions ?? {}).flatMap(([name, roles]) => {
      const subject = new Subject(`permission "${name}"`, 'words()')
      requireRoles(roles, vocabulary, subject)
      return subject.violations
    }),
  ]
}

function examineResource(resource: Resource, vocabulary: Vocabulary): Violation[] {
  const subject = new Subject(`resource "${resource.name}"`, `table ${resource.table}`)
  const twins = vocabulary.resources.filter(
    (other) => other.table === resource.table || other.name === resource.name,
  )
  if (twins.length > 1 && twins[0] === resource) {
    subject.refuse(
      'resource.duplicate',
      'another resource has the same name or table',
      'one resource for each table',
    )
  }
  const described = describeSchema(resource.row, 'output')
  if (!described.ok) {
    subject.refuse(
      'resource.schema',
      described.reason,
      'row: z.strictObject({ … }) with one member for each column',
    )
    return subject.violations
  }
  examineOwner(resource, described.json, vocabulary, subject)
  for (const column of [resource.key, ...Object.keys(resource.server)]) {
    requireColumn(column, described.json, subject)
  }
  for (const rule of rulesOf(resource)) examineRule(rule, described.json, vocabulary, subject)
  if (resource.tenant !== undefined) requireColumn(resource.tenant, described.json, subject)
  for (const roles of Object.values(resource.columns.readableBy)) requireRoles(roles, vocabulary, subject)
  examineColumns(resource, described.json, subject)
  return subject.violations
}

function examineOwner(
  { owner, name }: Resource,
  row: JsonSchema,
  vocabulary: Vocabulary,
  subject: Subject,
): void {
  // JavaScript callers can leave the owner out, whatever the types say.
  switch (owner?.kind) {
    case undefined:
      subject.refuse(
        'resource.owner-missing',
        'nobody owns its rows',
        `owner: 'ownerId', or owner: shared('why every caller may read every ${name}')`,
      )
      return
    case 'shared':
      if (!isReason(owner.reason)) {
        subject.refuse(
          'resource.reason-missing',
          'shared() needs a reason',
          `owner: shared('why every caller may read them')`,
        )
      }
      return
    case 'column':
      requireColumn(owner.column, row, subject)
      return
    case 'through':
      requireColumn(owner.column, row, subject)
      requireTable(owner.table, vocabulary, subject)
  }
}

function examineRule(rule: RowRule, row: JsonSchema, vocabulary: Vocabulary, subject: Subject): void {
  switch (rule.kind) {
    // What they are made of is looked at by itself.
    case 'any':
    case 'all':
      return
    case 'caller-has':
      requireRoles(rule.roles, vocabulary, subject)
      return
    case 'any-caller':
      if (!isReason(rule.reason))
        subject.refuse(
          'resource.reason-missing',
          'anyCaller() needs a reason',
          `anyCaller('why every signed-in caller may')`,
        )
      return
    case 'caller-is':
      requireColumn(rule.column, row, subject)
      return
    case 'column':
      requireColumn(rule.column, row, subject)
      if (rule.value === null && rule.operator !== '=' && rule.operator !== '<>')
        subject.refuse(
          'resource.rule-invalid',
          `"${rule.column}" is compared with null by "${rule.operator}"`,
          `where('${rule.column}', '<>', null)`,
        )
      return
    case 'through':
      requireColumn(rule.column, row, subject)
      requireTable(rule.table, vocabulary, subject)
      return
    case 'granted':
      examineGrant(rule, vocabulary, subject)
      return
    default:
      rule satisfies never
  }
}

function examineGrant(rule: GrantedRule, vocabulary: Vocabulary, subject: Subject): void {
  if (!requireTable(rule.table, vocabulary, subject)) return
  const target = vocabulary.resources.find(({ table }) => table === rule.table)
  const described = target === undefined ? undefined : describeSchema(target.row, 'output')
  if (described?.ok !== true) return
  for (const column of [rule.row, rule.user, ...Object.keys(rule.where)]) {
    requireColumn(column, described.json, subject, `granted('${rule.table}', …): `)
  }
  if (target !== undefined && !readsOwnGrants(target, rule.user)) {
    // The policies of PostgreSQL let a rule see what its caller may see, and nothing else.
    subject.refuse(
      'resource.grant-unreadable',
      `granted('${rule.table}', …): whom "${rule.user}" names may not read the grant itself`,
      `read: callerIs('${rule.user}') on the resource of "${rule.table}"`,
    )
  }
}

/** Whether everybody whom a column names may read the row. */
function readsOwnGrants({ owner, grants }: Resource, column: string): boolean {
  const covers = (rule: RowRule): boolean =>
    rule.kind === 'any-caller' ||
    (rule.kind === 'caller-is' && rule.column === column) ||
    (rule.kind === 'any' && rule.of.some(covers))
  return (
    owner?.kind === 'shared' ||
    (owner?.kind === 'column' && owner.column === column) ||
    grants.read.some(covers)
  )
}

function requireRoles(roles: readonly string[], vocabulary: Vocabulary, subject: Subject): void {
  for (const role of roles) {
    if (vocabulary.roles.includes(role)) continue
    subject.refuse(
      'resource.unknown-role',
      `no role is called "${role}"`,
      `one of: ${vocabulary.roles.join(', ')}; or add it to roles in words()`,
    )
  }
}

function requireTable(table: string, { resources }: Vocabulary, subject: Subject): boolean {
  if (resources.some((resource) => resource.table === table)) return true
  subject.refuse(
    'resource.unknown-table',
    `no resource declares the table "${table}"`,
    `resources: [ … ] in words() with a resource for "${table}"`,
  )
  return false
}

/** True for a reason that says something. */
export function isReason(text: unknown): boolean {
  return typeof text === 'string' && text.trim().length >= 10
}
