import {
  describeSchema,
  type JsonSchema,
  propertiesOf,
  type Schema,
  type SchemaFault,
  schemaFaults,
} from '../../schema/index.ts'
import { type AccessRule, isAccess, partsOf } from '../access.ts'
import { isSafe, type ParsedAddress, parseAddress } from '../address.ts'
import type { NamedLimit, RouteCost } from '../limit-of.ts'
import { noContent, nothing } from '../no-content.ts'
import { placeText } from '../place.ts'
import type { RouteMember, RouteRecord, RouteSpec } from '../route.ts'
import type { Vocabulary } from '../words.ts'
import { examineRouteColumns } from './columns.ts'
import { examineCost, examineCounted, examineLimit } from './limits.ts'
import { membersRead } from './members-read.ts'
import { Subject } from './subject.ts'
import type { Violation } from './violation.ts'
import { isReason } from './vocabulary.ts'

/** A route that has passed the rules about itself. */
export interface ExaminedRoute {
  readonly record: RouteRecord
  readonly address: ParsedAddress
  readonly access: AccessRule
  readonly limit: NamedLimit
  /** How much of it one request takes. */
  readonly cost: RouteCost
  readonly status: number
  readonly output: Schema
  readonly json: {
    readonly params?: JsonSchema
    readonly query?: JsonSchema
    readonly body?: JsonSchema
    readonly output: JsonSchema
  }
}

/** The outcome of looking at one route. */
export interface Examination {
  readonly violations: readonly Violation[]
  /** Present only when nothing is wrong. */
  readonly route?: ExaminedRoute
}

const members: readonly string[] = [
  'access',
  'params',
  'query',
  'body',
  'output',
  'limit',
  'cost',
  'status',
  'idempotency',
] satisfies readonly RouteMember[]

/** Applies the rules about one route. Nothing is trusted: a JavaScript caller has seen no type. */
export function examineRoute(record: RouteRecord, vocabulary: Vocabulary): Examination {
  const subject = new Subject(record.address, placeText(record.place))
  const { spec } = record
  const address = parseAddress(record.address)
  if (typeof address === 'string') {
    subject.refuse('route.address', address, `route('GET /api/things/:id', …)`)
    return { violations: subject.violations }
  }
  for (const member of Object.keys(spec).filter((name) => !members.includes(name))) {
    subject.refuse(
      'route.unknown-member',
      `a route has no member "${member}"`,
      `one of: ${members.join(', ')}`,
    )
  }
  const access = examineAccess(spec, address, vocabulary, subject)
  const limit = examineLimit(spec, record.address, vocabulary, subject)
  const inputs = examineInputs(record, address, subject)
  const cost = limit === undefined ? undefined : examineCost(spec.cost, limit, inputs.query, subject)
  if (limit !== undefined && access !== undefined) examineCounted(limit, access, subject)
  const output = examineOutput(spec, subject)
  examineIdempotency(spec, address, access, subject)
  if (access !== undefined) examineRouteColumns(access, { body: inputs.body, output: output?.json }, subject)
  if (subject.violations.length > 0 || access === undefined || limit === undefined || cost === undefined) {
    return { violations: subject.violations }
  }
  if (output === undefined) return { violations: subject.violations }
  const status = spec.output === noContent ? 204 : (spec.status ?? (address.method === 'POST' ? 201 : 200))
  const json = { ...inputs, output: output.json }
  return {
    violations: [],
    route: { record, address, access, limit, cost, status, output: output.schema, json },
  }
}

function examineAccess(
  spec: Partial<RouteSpec>,
  address: ParsedAddress,
  vocabulary: Vocabulary,
  subject: Subject,
): AccessRule | undefined {
  const { access } = spec
  if (!isAccess(access)) {
    const found =
      access === undefined ? 'nothing says who may call it' : 'access is not a value of an access word'
    subject.refuse(
      'route.access-missing',
      found,
      `access: signedIn(),                       // any caller with valid credentials\naccess: owns(Thing),                      // whoever the row's rules let\naccess: role('admin'),                    // a role\naccess: open('why anyone may call this'), // anyone`,
    )
    return undefined
  }
  const parts = partsOf(access.rule)
  for (const part of parts) examineAccessPart(part, vocabulary, subject)
  if (parts.filter((part) => part.kind === 'owns').length > 1) {
    subject.refuse('access.two-resources', 'owns() stands twice', 'one owns() for each route')
  }
  return withAction(access.rule, address)
}

/** The rules about one alternative of an access value. */
export function examineAccessPart(part: AccessRule, vocabulary: Vocabulary, subject: Subject): void {
  if (part.kind === 'open' && !isReason(part.reason)) {
    subject.refuse(
      'access.reason-missing',
      'open() needs a reason',
      `access: open('why anyone may call this')`,
    )
  }
  if (part.kind === 'role') {
    const unknown = part.roles.filter((role) => !vocabulary.roles.includes(role))
    if (part.roles.length === 0 || unknown.length > 0) {
      const fault =
        unknown.length > 0 ? `no such role: ${unknown.join(', ')}` : emptyRoleFault(part.permission)
      subject.refuse(
        'access.unknown-role',
        fault,
        `one of: ${vocabulary.roles.join(', ') || '(words() declares no roles)'}`,
      )
    }
  }
  if (part.kind === 'owns' && !vocabulary.resources.includes(part.resource)) {
    subject.refuse(
      'access.unknown-resource',
      'owns() names a resource that words() does not know',
      `words({ resources: [ … ] }) with the same resource value`,
    )
  }
}

function emptyRoleFault(permission: string | undefined): string {
  return permission === undefined ? 'role() needs a role' : `no role has the permission ${permission}`
}

function withAction(rule: AccessRule, address: ParsedAddress): AccessRule {
  if (rule.kind === 'any') return { kind: 'any', of: rule.of.map((part) => withAction(part, address)) }
  if (rule.kind !== 'owns' || rule.action !== undefined) return rule
  const action = isSafe(address.method) ? 'read' : address.method === 'DELETE' ? 'delete' : 'update'
  return { ...rule, action }
}

type Inputs = { params?: JsonSchema; query?: JsonSchema; body?: JsonSchema }

function examineInputs(record: RouteRecord, address: ParsedAddress, subject: Subject): Inputs {
  const { spec } = record
  const inputs: Inputs = {}
  for (const part of ['params', 'query', 'body'] as const) {
    const schema = spec[part]
    if (schema === undefined) continue
    const json = examineSchema(schema, 'input', part, subject)
    if (json !== undefined) inputs[part] = json
  }
  if (spec.params === undefined && address.parameters.length > 0) {
    const shape = address.parameters.map((name) => `${name}: z.uuid()`).join(', ')
    subject.refuse(
      'route.params-missing',
      'no schema for its path parameters',
      `params: z.strictObject({ ${shape} })`,
    )
  }
  if (inputs.params !== undefined) examineParameterNames(inputs.params, address, subject)
  if (spec.body !== undefined && (address.method === 'GET' || address.method === 'DELETE')) {
    subject.refuse('route.body-on-get', `${address.method} takes no body`, 'query: …, or another method')
  }
  for (const part of membersRead(record.handler)) {
    if (spec[part] !== undefined || (part === 'params' && address.parameters.length > 0)) continue
    subject.refuse(
      'route.input-undeclared',
      `the handler reads ${part}, which no schema describes`,
      `${part}: z.strictObject({ … })`,
    )
  }
  return inputs
}

function examineParameterNames(json: JsonSchema, address: ParsedAddress, subject: Subject): void {
  const described = Object.keys(propertiesOf(json))
  const missing = address.parameters.filter((name) => !described.includes(name))
  const extra = described.filter((name) => !address.parameters.includes(name))
  if (missing.length === 0 && extra.length === 0) return
  const fault = [
    ...missing.map((name) => `params does not describe "${name}"`),
    ...extra.map((name) => `the address has no parameter "${name}"`),
  ]
  subject.refuse(
    'route.params-mismatch',
    fault.join('; '),
    `params with exactly: ${address.parameters.join(', ') || '(none)'}`,
  )
}

function examineOutput(
  spec: Partial<RouteSpec>,
  subject: Subject,
): { schema: Schema; json: JsonSchema } | undefined {
  if (spec.output === noContent) return { schema: noContent, json: nothing }
  if (spec.output === undefined) {
    subject.refuse(
      'route.output-missing',
      'nothing says what it gives, so a whole row could leave',
      'output: z.strictObject({ … }), or output: noContent',
    )
    return undefined
  }
  const json = examineSchema(spec.output, 'output', 'output', subject)
  return json === undefined ? undefined : { schema: spec.output, json }
}

function examineSchema(
  schema: Schema,
  side: 'input' | 'output',
  part: string,
  subject: Subject,
): JsonSchema | undefined {
  const described = describeSchema(schema, side)
  if (!described.ok) {
    subject.refuse(
      'schema.not-json-schema',
      `${part}: ${described.reason}`,
      `${part}: a schema that can be written as JSON Schema`,
    )
    return undefined
  }
  const faults = schemaFaults(described.json, side)
  for (const fault of faults) refuseSchema(fault, part, subject)
  return faults.length === 0 ? described.json : undefined
}

const schemaSentences: Readonly<Record<SchemaFault['rule'], string>> = {
  'open-node': 'accepts anything',
  'unbounded-string': 'a text of any length',
  'unbounded-array': 'a list of any length',
  'undeclared-keys': 'admits keys that it does not declare',
  unsupported: 'cannot be checked by Holdfast',
}

function refuseSchema(fault: SchemaFault, part: string, subject: Subject): void {
  subject.refuse(`schema.${fault.rule}`, `${part}${fault.path}: ${schemaSentences[fault.rule]}`, fault.fix)
}

function examineIdempotency(
  { idempotency }: Partial<RouteSpec>,
  { method }: ParsedAddress,
  access: AccessRule | undefined,
  subject: Subject,
): void {
  if (idempotency === undefined) return
  const fix = `idempotency: 'optional' or 'required', on a route that changes something and knows its caller`
  const refuse = (fault: string): void => subject.refuse('route.idempotency', fault, fix)
  if (idempotency !== 'optional' && idempotency !== 'required')
    refuse('idempotency is neither optional nor required')
  if (method === 'GET') refuse('a GET changes nothing: it can be sent again as it is')
  // A key belongs to a caller; on an open route anyone could fetch the reply of somebody else.
  if (access?.kind === 'open') refuse('an open route knows no caller to whom a key could belong')
}
