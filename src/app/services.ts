import type { Secret } from '../base/index.ts'
import { openCursor, sealCursor } from '../crypto/index.ts'
import { type OwnedRows, pagerWith } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import type { EmitEvent } from '../events/index.ts'
import type { PipelineServices } from '../http/index.ts'
import { type OnceReplies, parseIdempotencyKey } from '../idempotency/index.ts'
import type { Identify } from '../identity/index.ts'
import { Delays, type FieldStyle, Limiter, type LimitStore, memoryStore } from '../limits/index.ts'
import { limitPlan, type NamedLimit } from '../route/index.ts'

// Each holds a socket and about 10 kB.
const delayedCount = 1_000

/** What the services are made of. */
export interface ServiceParts {
  readonly rows: OwnedRows
  readonly identify: Identify
  readonly recall: PipelineServices['recall']
  readonly refusedRow: PipelineServices['refusedRow']
  readonly emit: EmitEvent
  readonly responses: PipelineServices['responses']
  readonly once: OnceReplies
  readonly limits: LimitStore
  /** Which header fields tell clients of their limits; those of the IETF unless given. */
  readonly limitFields?: FieldStyle | undefined
  readonly accountBannedForMs: PipelineServices['accountBannedForMs']
  /** Seals the cursors of lists. */
  readonly cursorKey: Secret<Buffer>
}

/** Hands the capabilities to the pipeline: the one place where they meet. */
export function servicesOf({
  rows,
  identify,
  recall,
  refusedRow,
  emit,
  responses,
  once,
  limits,
  limitFields,
  accountBannedForMs,
  cursorKey,
}: ServiceParts): PipelineServices {
  return {
    limiterFor: limitersOn(limits, limitFields),
    delays: new Delays(delayedCount),
    accountBannedForMs,
    identify,
    recall,
    scoped: (scope) => rows.as(scope),
    transaction: (scope, run) => rows.transaction(scope, run),
    once: ({ field, ...request }, work) => once.reply({ ...request, key: keyIn(field) }, work),
    pager: (route, userId) => {
      const place = `${route} ${userId ?? ''}`
      return pagerWith({
        seal: (position) => sealCursor(cursorKey, place, position),
        open: (text) => openCursor(cursorKey, place, text),
      })
    },
    loadRow: (resource, action, key, scope) => rows.load(resource, { scope, action, key }),
    refusedRow,
    emit,
    responses,
  }
}

function keyIn(field: string): string {
  const key = parseIdempotencyKey(field)
  if (key !== null) return key
  throw new Problem('VALIDATION_FAILED', 'the idempotency key is no quoted text', {
    errors: [{ path: '/headers/idempotency-key', message: 'expected 1 to 255 characters in double quotes' }],
  })
}

/** One limiter for each class, however many routes have it. */
function limitersOn(store: LimitStore, fields: FieldStyle | undefined): (limit: NamedLimit) => Limiter {
  const known = new Map<string, Limiter>()
  return ({ name, limit }) => {
    // Not by name alone: a route's own class could bear the name of another.
    const id = JSON.stringify([name, limitPlan(limit)])
    const limiter = known.get(id) ?? new Limiter(limit, { name, store, ...(fields && { fields }) })
    known.set(id, limiter)
    return limiter
  }
}

const nothing = (): never => {
  throw new TypeError('a plan has no running parts')
}

/** Stands in where an application is only looked at: its routes are registered, none is ever called. */
export const idleServices: PipelineServices = {
  limiterFor: limitersOn(memoryStore(), undefined),
  delays: new Delays(0),
  accountBannedForMs: nothing,
  identify: nothing,
  scoped: nothing,
  transaction: nothing,
  once: nothing,
  pager: nothing,
  loadRow: nothing,
  refusedRow: nothing,
  emit: nothing,
  responses: { slowsDown: nothing, slowedByMs: nothing, stepUpSinceMs: nothing },
}
