import type { Kysely } from 'kysely'
import { assert } from '../../base/index.ts'
import { isNoRow, type Scope } from '../../data/index.ts'
import { type InputFault, Problem } from '../../errors/index.ts'
import type { EmitEvent } from '../../events/index.ts'
import { callHandler, type Decision, type Exchange, type HandlerContext } from '../../route/index.ts'
import { entityTag, isUnchanged, requireMatch } from './conditions.ts'
import { type PreparedRoute, placed } from './prepare.ts'
import type { Answer, PipelineServices } from './services.ts'

/** A request whose sender has been admitted. */
export interface Admitted {
  readonly id: string
  readonly decision: Decision
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly hasBody: boolean
  readonly exchange: Exchange
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
  readonly idempotencyKey: string | undefined
}

/**
 * Runs an admitted request: its input is checked, its row loaded through the scoped query, its handler called
 * with the database already limited to the caller, and its result cut to the output schema.
 *
 * @throws `VALIDATION_FAILED`, `NOT_FOUND`, `PRECONDITION_FAILED`, and whatever the handler throws.
 */
export async function answer(
  route: PreparedRoute,
  request: Admitted,
  services: PipelineServices,
): Promise<Answer> {
  const input = await checkInput(route, request)
  if (route.idempotency !== undefined && request.decision.kind === 'known') {
    const field = request.idempotencyKey
    if (field !== undefined) return await answerOnce(route, request, services, { input, field })
    if (route.idempotency === 'required') throw keyMissing()
  }
  const found = await findRow(route, request, input, services)
  if (isSafeRead(route) && isUnchanged(request.ifNoneMatch, found.revision)) {
    return { status: 304, content: null, entityTag: tagOf(found.revision) }
  }
  return await carryOut(route, request, services, {
    input,
    found,
    db: services.scoped(found.scope),
    transaction: (run) => services.transaction(found.scope, run),
  })
}

/** Carries a request out once, or answers as it was answered before. */
async function answerOnce(
  route: PreparedRoute,
  request: Admitted,
  services: PipelineServices,
  { input, field }: { readonly input: Record<string, unknown>; readonly field: string },
): Promise<Answer> {
  const { decision } = request
  assert(decision.kind === 'known', 'the gate refuses idempotency on open routes')
  let found: Found | undefined
  const { reply, isReplayed } = await services.once(
    {
      userId: decision.user.id,
      tenantId: decision.user.tenantId ?? null,
      route: `${route.method} ${route.path}`,
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
        return await carryOut(route, request, services, { input, found, db, transaction: (run) => run(db) })
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

interface Work {
  readonly input: Record<string, unknown>
  readonly found: Found
  readonly db: Kysely<never>
  readonly transaction: HandlerContext['transaction']
}

async function carryOut(
  route: PreparedRoute,
  request: Admitted,
  services: PipelineServices,
  { input, found, db, transaction }: Work,
): Promise<Answer> {
  const context: HandlerContext = {
    ...input,
    ...(request.decision.kind === 'known' ? { user: request.decision.user } : {}),
    ...found.given,
    db,
    transaction,
    page: services.pager(`${route.method} ${route.path}`, found.scope.userId),
    requestId: request.id,
    emit: emitterFor(route, request, services.emit),
    ...(route.record.isOwn === true ? { exchange: request.exchange } : {}),
  }
  let result: unknown
  try {
    result = await callHandler(route.record, context)
  } catch (error) {
    throw changedMeanwhile(error, found.scope)
  }
  return {
    status: route.status,
    content: await contentOf(route, result),
    entityTag: tagOf(revisionOf(route, result) ?? (isSafeRead(route) ? found.revision : undefined)),
  }
}

/** What a handler emits says by itself who has asked, from where, and for what. */
function emitterFor(route: PreparedRoute, request: Admitted, emit: EmitEvent): HandlerContext['emit'] {
  return (event) => {
    const { decision, exchange } = request
    const user = decision.kind === 'known' ? decision.user : undefined
    emit({
      userId: user?.id ?? null,
      ...(user?.session === undefined ? {} : { sessionId: user.session.id }),
      ...event,
      address: exchange.clientAddress,
      route: `${route.method} ${route.path}`,
      requestId: request.id,
    })
  }
}

function isSafeRead(route: PreparedRoute): boolean {
  return route.method === 'GET'
}

async function checkInput(route: PreparedRoute, request: Admitted): Promise<Record<string, unknown>> {
  const errors: InputFault[] = []
  const input: Record<string, unknown> = {}
  for (const part of ['params', 'query', 'body'] as const) {
    const check = route.input[part]
    if (check === undefined) {
      errors.push(...undeclaredPart(part, request))
      continue
    }
    const checked = await check(request[part])
    if (checked.ok) input[part] = checked.value
    else errors.push(...placed(part, checked.errors))
  }
  if (errors.length > 0) throw new Problem('VALIDATION_FAILED', 'input does not fit its schema', { errors })
  return input
}

/** A part of the request that no schema describes must not be there: nothing is taken unchecked. */
function undeclaredPart(part: 'params' | 'query' | 'body', request: Admitted): InputFault[] {
  if (part === 'query' && isFilled(request.query))
    return [{ path: '/query', message: 'takes no query parameters' }]
  if (part === 'body' && request.hasBody) return [{ path: '/body', message: 'takes no body' }]
  return []
}

function isFilled(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

interface Found {
  readonly scope: Scope
  readonly given: Readonly<Record<string, unknown>>
  readonly revision: number | undefined
}

const nobody: Scope = { userId: null, tenantId: null, roles: [], lifted: new Map() }

async function findRow(
  route: PreparedRoute,
  request: Admitted,
  input: Record<string, unknown>,
  services: PipelineServices,
): Promise<Found> {
  const { decision } = request
  if (decision.kind === 'open') return { scope: nobody, given: {}, revision: undefined }
  const { id, roles, tenantId = null } = decision.user
  const base: Scope = { userId: id, tenantId, roles, lifted: new Map() }
  const { owned, lifted } = decision
  if (owned === undefined) return { scope: base, given: {}, revision: undefined }
  const { table } = owned.resource
  if (route.row === undefined) {
    return {
      scope: lifted ? { ...base, lifted: new Map([[table, 'all']]) } : base,
      given: {},
      revision: undefined,
    }
  }
  const key = keyOf(input['params'])
  const scope: Scope = lifted ? { ...base, lifted: new Map([[table, { key }]]) } : base
  const row = await services.loadRow(owned.resource, owned.action, key, scope)
  // Absent and not the caller's are one answer, so that ids cannot be told apart (OWASP API1:2023).
  if (row === undefined) {
    services.refusedRow(owned.resource, owned.action, key, scope, request.id)
    throw new Problem('NOT_FOUND', `${owned.resource.name} is absent or not the caller's to ${owned.action}`)
  }
  const revision = numberAt(row, route.row.revision)
  const expected = isSafeRead(route) ? undefined : requireMatch(request.ifMatch, revision)
  return {
    scope: expected === undefined ? scope : { ...scope, expected: { table, key, revision: expected } },
    given: { [owned.resource.name]: row },
    revision,
  }
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

async function contentOf(route: PreparedRoute, result: unknown): Promise<string | null> {
  if (route.output === null) return null
  const projected = await route.output(result)
  if (!projected.ok)
    throw new Problem(
      'INTERNAL',
      `${route.method} ${route.path} returned what its output cannot hold: ${projected.reason}`,
    )
  return JSON.stringify(projected.value)
}
