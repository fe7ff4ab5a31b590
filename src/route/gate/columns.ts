import { columnsOfRules, rulesOf } from '../../data/index.ts'
import type { Resource } from '../../data/resource.ts'
import { type JsonSchema, propertiesOf } from '../../schema/index.ts'
import { type AccessRule, partsOf } from '../access.ts'
import type { Subject } from './subject.ts'

/** The rules about what a resource says of single columns: no tag may contradict another, or the rules. */
export function examineColumns(resource: Resource, row: JsonSchema, subject: Subject): void {
  const { columns, key, server } = resource
  const tagged = new Set([
    ...columns.writeOnce,
    ...columns.secret,
    ...columns.personal,
    ...columns.encrypted,
    ...Object.keys(columns.lookup),
    ...Object.keys(columns.readableBy),
  ])
  for (const column of tagged) requireColumn(column, row, subject)
  for (const column of new Set([...columns.encrypted, ...columns.secret])) {
    for (const use of usesOf(resource, column)) {
      contradict(subject, `"${column}" is encrypted or secret, and ${use} has to look into it`, column)
    }
    const fill = server[column]
    if (fill !== undefined && fill !== 'handler')
      contradict(subject, `"${column}" is encrypted or secret, and filled by the server`, column)
  }
  for (const column of columns.secret) {
    if (!columns.encrypted.includes(column) && !isText(propertiesOf(row)[column]))
      contradict(subject, `"${column}" is secret, and no text`, column)
  }
  for (const [column, index] of Object.entries(columns.lookup)) {
    if (!columns.encrypted.includes(column))
      contradict(subject, `"${column}" has a lookup column, and is not encrypted`, column)
    if (index in propertiesOf(row))
      contradict(subject, `the lookup column "${index}" is a column of the row`, index)
  }
  for (const column of Object.keys(columns.readableBy)) {
    if (!allowsNull(propertiesOf(row)[column]))
      contradict(
        subject,
        `"${column}" is null for callers without the role, and its schema takes no null`,
        column,
      )
    if (column === key)
      contradict(subject, `"${column}" is the key, and not for everyone who has the row`, column)
  }
  for (const column of columns.writeOnce) {
    if (server[column] === 'changed' || server[column] === 'revision')
      contradict(subject, `"${column}" is written once, and at each change`, column)
  }
}

/** What needs the plain value of a column inside the database. */
function usesOf(resource: Resource, column: string): string[] {
  const { key, owner, tenant } = resource
  const uses: string[] = []
  if (column === key) uses.push('the key')
  if (owner.kind !== 'shared' && owner.column === column) uses.push('the owner')
  if (tenant === column) uses.push('the tenant')
  if (columnsOfRules(rulesOf(resource)).has(column)) uses.push('a row rule')
  return uses
}

function contradict(subject: Subject, fault: string, column: string): void {
  subject.refuse('resource.contradiction', fault, `take "${column}" out of one of the two`)
}

function isText(schema: JsonSchema | undefined): boolean {
  return schema !== undefined && typeof schema === 'object' && typesOf(schema).includes('string')
}

function allowsNull(schema: JsonSchema | undefined): boolean {
  return schema !== undefined && typeof schema === 'object' && typesOf(schema).includes('null')
}

/** The types that a schema names, also in its alternatives. */
function typesOf(schema: JsonSchema): unknown[] {
  const { type, anyOf } = schema
  const alternatives = Array.isArray(anyOf)
    ? anyOf.filter((part) => typeof part === 'object' && part !== null)
    : []
  return [...(Array.isArray(type) ? type : [type]), ...alternatives.flatMap((part) => typesOf(part))]
}

/** The rules about what the routes of a resource take and give of its columns. */
export function examineRouteColumns(
  access: AccessRule,
  { body, output }: { readonly body: JsonSchema | undefined; readonly output: JsonSchema | undefined },
  subject: Subject,
): void {
  for (const part of partsOf(access)) {
    if (part.kind !== 'owns') continue
    const { table, server, owner, transfer, tenant, columns } = part.resource
    const owned = new Set(Object.keys(server))
    if (owner?.kind === 'column' && transfer === undefined) owned.add(owner.column)
    if (tenant !== undefined) owned.add(tenant)
    for (const key of Object.keys(body === undefined ? {} : propertiesOf(body))) {
      if (!owned.has(key)) continue
      // OWASP API3:2023, mass assignment: the client would choose what only the server may.
      subject.refuse(
        'schema.server-column',
        `body/${key}: the server owns this column of "${table}"`,
        `body without "${key}"`,
      )
    }
    for (const key of columns.secret) {
      if (!namesIn(output).has(key)) continue
      subject.refuse(
        'schema.secret-column',
        `output: "${key}" of "${table}" is secret, and no reply may hold it`,
        `output without "${key}"`,
      )
    }
  }
}

/** Every name of a property, at any depth. */
function namesIn(part: unknown): ReadonlySet<string> {
  const names = new Set<string>()
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [member, inner] of Object.entries(node)) {
      if (member === 'properties' && typeof inner === 'object' && inner !== null)
        for (const name of Object.keys(inner)) names.add(name)
      visit(inner)
    }
  }
  visit(part)
  return names
}

/** Refuses a column that the row does not have. */
export function requireColumn(column: string, row: JsonSchema, subject: Subject, prefix = ''): void {
  const columns = Object.keys(propertiesOf(row))
  if (columns.includes(column)) return
  subject.refuse(
    'resource.unknown-column',
    `${prefix}the row has no column "${column}"`,
    `one of: ${columns.join(', ')}`,
  )
}
