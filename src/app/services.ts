import type { Secret } from '../base/index.ts'
import { openCursor, sealCursor } from '../crypto/index.ts'
import { type OwnedRows, pagerWith } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import type { PipelineServices } from '../http/index.ts'
import { type OnceReplies, parseIdempotencyKey } from '../idempotency/index.ts'
import type { Identify } from '../identity/index.ts'
import { type LimitStore, limitFields } from '../limits/index.ts'

/** What the services are made of. */
export interface ServiceParts {
  readonly rows: OwnedRows
  readonly identify: Identify
  readonly refusedRow: PipelineServices['refusedRow']
  readonly once: OnceReplies
  readonly limits: LimitStore
  /** Seals the cursors of lists. */
  readonly cursorKey: Secret<Buffer>
}

/** Hands the capabilities to the pipeline: the one place where they meet. */
export function servicesOf({
  rows,
  identify,
  refusedRow,
  once,
  limits,
  cursorKey,
}: ServiceParts): PipelineServices {
  return {
    count: async (name, limit, key) => {
      const decision = await limits.consume([{ name, limit, key }], monotonicMs())
      return { allowed: decision.allowed, fields: limitFields(decision) }
    },
    identify,
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
  }
}

function keyIn(field: string): string {
  const key = parseIdempotencyKey(field)
  if (key !== null) return key
  throw new Problem('VALIDATION_FAILED', 'the idempotency key is no quoted text', {
    errors: [{ path: '/headers/idempotency-key', message: 'expected 1 to 255 characters in double quotes' }],
  })
}

/** Unix milliseconds that never step back, whatever happens to the wall clock. */
function monotonicMs(): number {
  return Math.floor(performance.timeOrigin + performance.now())
}

const nothing = (): never => {
  throw new TypeError('a plan has no running parts')
}

/** Stands in where an application is only looked at: its routes are registered, none is ever called. */
export const idleServices: PipelineServices = {
  count: nothing,
  identify: nothing,
  scoped: nothing,
  transaction: nothing,
  once: nothing,
  pager: nothing,
  loadRow: nothing,
  refusedRow: nothing,
}
