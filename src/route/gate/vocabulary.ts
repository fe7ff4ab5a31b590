import type { Resource, RowRule } from '../../data/resource.ts'
import { describeSchema, type JsonSchema, propertiesOf } from '../../schema/index.ts'
import type { Vocabulary } from '../words.ts'
import { Subject } from './subject.ts'
import type { Violation } from './violation.ts'

/** The rules about an application's vocabulary: its resources and limit classes. */
export function examineVocabulary(vocabulary: Vocabulary): Violation[] {
  const tables = new Map(vocabulary.resources.map((resource) => [resource.table, resource]))
  return [
    ...vocabulary.resources.flatMap((resource) => examineResource(resource, tables, vocabulary.resources)),
    ...Object.entries(vocabulary.limits).flatMap(([name, limit]) => {
      const subject = new Subject(`limit "${name}"`, 'words()')
      if (!isWholePositive(limit.count) || !isWholePositive(limit.windowSeconds)) {
        subject.refuse(
          'limit.invalid',
          'the count and the window must be whole numbers above zero',
          `${name}: per('minute', 60)`,
        )
      }
      return subject.violations
    }),
  ]
}

function isWholePositive(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0
}

function examineResource(
  resource: Resource,
  tables: ReadonlyMap<string, Resource>,
  all: readonly Resource[],
): Violation[] {
  const subject = new Subject(`resource "${resource.name}"`, `table ${resource.table}`)
  const twins = all.filter((other) => other.table === resource.table || other.name === resource.name)
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
  examineOwner(resource, described.json, tables, subject)
  for (const column of [resource.key, ...Object.keys(resource.server)]) {
    requireColumn(column, described.json, subject)
  }
  for (const rule of Object.values(resource.grants).flat()) examineRule(rule, described.json, tables, subject)
  return subject.violations
}

function examineOwner(
  { owner, name }: Resource,
  row: JsonSchema,
  tables: ReadonlyMap<string, Resource>,
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
      requireTable(owner.table, tables, subject)
  }
}

function examineRule(
  rule: RowRule,
  row: JsonSchema,
  tables: ReadonlyMap<string, Resource>,
  subject: Subject,
): void {
  if (rule.kind === 'caller-is' || rule.kind === 'through') requireColumn(rule.column, row, subject)
  if (rule.kind === 'caller-is' || !requireTable(rule.table, tables, subject)) return
  if (rule.kind !== 'granted') return
  const target = tables.get(rule.table)
  const described = target === undefined ? undefined : describeSchema(target.row, 'output')
  if (described?.ok !== true) return
  for (const column of [rule.row, rule.user, ...Object.keys(rule.where)]) {
    requireColumn(column, described.json, subject, `granted('${rule.table}', …): `)
  }
}

function requireColumn(column: string, row: JsonSchema, subject: Subject, prefix = ''): void {
  const columns = Object.keys(propertiesOf(row))
  if (columns.includes(column)) return
  subject.refuse(
    'resource.unknown-column',
    `${prefix}the row has no column "${column}"`,
    `one of: ${columns.join(', ')}`,
  )
}

function requireTable(table: string, tables: ReadonlyMap<string, Resource>, subject: Subject): boolean {
  if (tables.has(table)) return true
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
