import type { IncomingHttpHeaders } from 'node:http'
import { after, assert, settled } from '../../base/index.ts'
import { isNoRow, type Scope } from '../../data/index.ts'
import { type InputFault, Problem } from '../../errors/index.ts'
import { callHandler, type Decision, type Exchange } from '../../route/index.ts'
import type { Checked } from '../../schema/index.ts'
import { entityTag, isUnchanged, requireMatch } from './conditions.ts'
import { Context, type HandlerScope, isTool, type RequestInput } from './context.ts'
import { type InputCheck, type InputPart, type PreparedRoute, placed } from './prepare.ts'
import type { Answer, PipelineServices } from './services.ts'

/** A request whose sender has been admitted. */
export interface Admitted {
  readonly id: string
  readonly clientAddress: string
  readonly decision: Decision
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly hasBody: boolean
  readonly headers: IncomingHttpHeaders
  /** Made for routes of Holdfast's own alone. */
  readonly exchange: Exchange | undefined
}

/**
 * Runs an admitted request: its input is checked, its row loaded through the scoped query, its handler called
 * with the database already limited to the caller, and its result cut to the output schema.
 *
 * @returns the answer, or a promise of it where something had to be waited for
 * @throws `VALIDATION_FAILED`, `NOT_FOUND`, `PRECONDITION_FAILED`, and whatever the handler throws.
 */
export function answer(
  route: PreparedRoute,
  request: Admitted,
  services: PipelineServices,
): Answer | Promise<Answer> {
  return after(checkInput(route, request), (input) => answerChecked(route, request, services, input))
}

function answerChecked(
  route: PreparedRoute,
  request: Admitted,
  services: PipelineServices,
  input: RequestInput,
): Answer | Promise<Answer> {
  if (route.idempotency !== undefined && request.decision.kind === 'known') {
    const field = oneField(request.headers['idempotency-key'])
    if (field !== undefined) return answerOnce(route, request, services, { input, field })
    if (route.idempotency === 'required') throw keyMissing()
  }
  return after(findRow(route, request, input, services), (found) => {
    if (route.isSafeRead && isUnchanged(request.headers['if-none-match'], found.revision)) {
      return { status: 304, content: null, entityTag: tagOf(found.revision) }
    }
    return carryOut({ route, request, services, scope: found.scope }, input, found)
  })
}

/** Two fields are read as one, which no key looks like: nobody knows which of the two was meant. */
function oneField(field: string | string[] | undefined): string | undefined {
  return Array.isArray(field) ? field.join(', ') : field
}

/** Carries a request out once, or answers as it was answered before. */
async function answerOnce(
  route: PreparedRoute,
  request: Admitted,
  services: PipelineServices,
  { input, field }: { readonly input: RequestInput; readonly field: string },
): Promise<Answer> {
  const { decision } = request
  assert(decision.kind === 'known', 'the gate refuses idempotency on open routes')
  let found: Found | undefined
  const { reply, isReplayed } = await services.once(
    {
      userId: decision.user.id,
      tenantId: decision.user.tenantId ?? null,
      route: route.name,
      field,
      payload: JSON.stringify([request.params, request.query, request.body ?? null]),
    },
    {
      prepare: async () => {
        found = await findRow(route, request, input, services)
        return found
      },
      run: async (db) => {
        assert(found !== undefined, 'the work is prepared before it runs')
        return await carryOut({ route, request, services, scope: found.scope, within: db }, input, found)
      },
    },
  )
  return isReplayed ? { ...reply, isReplayed } : reply
}

function keyMissing(): Problem {
  return new Problem('VALIDATION_FAILED', 'no idempotency key', {
    errors: [
      { path: '/headers/idempotency-key', message: 'is required: a text of your own in double quotes' },
    ],
  })
}

function carryOut(work: HandlerScope, input: RequestInput, found: Found): Answer | Promise<Answer> {
  const { route, scope } = work
  const context = new Context(work, input)
  if (route.row !== undefined && !isTool(route.row.resource.name))
    context[route.row.resource.name] = found.row
  const given = (result: unknown): Answer | Promise<Answer> =>
    after(contentOf(route, result), (content) => ({
      status: route.status,
      content,
      entityTag: tagOf(revisionOf(route, result) ?? (route.isSafeRead ? found.revision : undefined)),
    }))
  // Only a change that `If-Match` holds to a revision can fail in a way that has to be told differently.
  if (scope.expected === undefined) return after(settled(callHandler(route.record, context)), given)
  return callExpecting(route, context, scope).then(given)
}

async function callExpecting(route: PreparedRoute, context: Context, scope: Scope): Promise<unknown> {
  try {
    return await callHandler(route.record, context)
  } catch (error) {
    throw changedMeanwhile(error, scope)
  }
}

function checkInput(route: PreparedRoute, request: Admitted): RequestInput | Promise<RequestInput> {
  const { input } = route
  const params = checkedPart(input.params, request.params)
  const query = checkedPart(input.query, request.query)
  const body = checkedPart(input.body, request.body)
  if (!(params instanceof Promise || query instanceof Promise || body instanceof Promise))
    return accepted(route, request, { params, query, body })
  return Promise.all([params, query, body]).then(([params, query, body]) =>
    accepted(route, request, { params, query, body }),
  )
}

/** A check that throws is one that fails late, or what another part waits for would be left alone. */
function checkedPart(
  check: InputCheck | undefined,
  value: unknown,
): Checked | undefined | Promise<Checked | undefined> {
  try {
    return check?.(value)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** @throws `VALIDATION_FAILED` with everything that is wrong with a request, part after part */
function accepted(
  { input }: PreparedRoute,
  { query, hasBody }: Admitted,
  checked: Readonly<Record<InputPart, Checked | undefined>>,
): RequestInput {
  const errors: InputFault[] = []
  const taken = (part: InputPart): unknown => {
    const one = checked[part]
    if (one === undefined) return undefined
    if (one.ok) return one.value
    errors.push(...placed(part, one.errors))
    return undefined
  }
  const given: RequestInput = { params: taken('params'), query: taken('query'), body: undefined }
  // A part that no schema describes must not be there: nothing is taken unchecked.
  if (input.query === undefined && isFilled(query))
    errors.push({ path: '/query', message: 'takes no query parameters' })
  given.body = taken('body')
  if (input.body === undefined && hasBody) errors.push({ path: '/body', message: 'takes no body' })
  if (errors.length > 0) throw new Problem('VALIDATION_FAILED', 'input does not fit its schema', { errors })
  return given
}

function isFilled(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  for (const name in value) if (Object.hasOwn(value, name)) return true
  return false
}

interface Found {
  readonly scope: Scope
  /** The row that the address names; `undefined` for a route without one. */
  readonly row: unknown
  readonly revision: number | undefined
}

const noneLifted: Scope['lifted'] = new Map()
const nobody: Found = {
  scope: { userId: null, tenantId: null, roles: [], lifted: noneLifted },
  row: undefined,
  revision: undefined,
}

function findRow(
  route: PreparedRoute,
  { decision, headers, id: requestId }: Admitted,
  input: RequestInput,
  services: PipelineServices,
): Found | Promise<Found> {
  if (decision.kind === 'open') return nobody
  const { id, roles, tenantId = null } = decision.user
  const { owned, lifted } = decision
  const liftedTo = (what: 'all' | { readonly key: string }): Scope['lifted'] =>
    owned !== undefined && lifted ? new Map([[owned.resource.table, what]]) : noneLifted
  if (owned === undefined || route.row === undefined)
    return {
      scope: { userId: id, tenantId, roles, lifted: liftedTo('all') },
      row: undefined,
      revision: undefined,
    }
  const { revision: column } = route.row
  const key = keyOf(input.params)
  const scope: Scope = { userId: id, tenantId, roles, lifted: liftedTo({ key }) }
  return after(services.loadRow(owned.resource, owned.action, key, scope), (row) => {
    // Absent and not the caller's are one answer, so that ids cannot be told apart (OWASP API1:2023).
    if (row === undefined) {
      services.refusedRow(owned.resource, owned.action, key, scope, requestId)
      throw new Problem(
        'NOT_FOUND',
        `${owned.resource.name} is absent or not the caller's to ${owned.action}`,
      )
    }
    const revision = numberAt(row, column)
    const expected = route.isSafeRead ? undefined : requireMatch(headers['if-match'], revision)
    if (expected === undefined) return { scope, row, revision }
    const { table } = owned.resource
    return { scope: { ...scope, expected: { table, key, revision: expected } }, row, revision }
  })
}

function keyOf(params: unknown): string {
  assert(typeof params === 'object' && params !== null && 'id' in params, 'a row route has checked params')
  return String(params.id)
}

function numberAt(row: unknown, column: string | undefined): number | undefined {
  if (column === undefined || typeof row !== 'object' || row === null) return undefined
  const value: unknown = Reflect.get(row, column)
  return typeof value === 'number' ? value : undefined
}

function revisionOf(route: PreparedRoute, result: unknown): number | undefined {
  return numberAt(result, route.row?.revision)
}

function tagOf(revision: number | undefined): string | undefined {
  return revision === undefined ? undefined : entityTag(revision)
}

/** A change that found no row although it was loaded a moment ago lost a race; `If-Match` promised to notice. */
function changedMeanwhile(error: unknown, scope: Scope): unknown {
  if (scope.expected === undefined || !isNoRow(error)) return error
  return new Problem('PRECONDITION_FAILED', 'the row changed between its check and its change', {
    cause: error,
  })
}

function contentOf(route: PreparedRoute, result: unknown): string | null | Promise<string> {
  if (route.output === null) return null
  return after(route.output(result), (projected) => {
    if (projected.ok) return JSON.stringify(projected.value)
    throw new Problem('INTERNAL', `${route.name} returned what its output cannot hold: ${projected.reason}`)
  })
}
