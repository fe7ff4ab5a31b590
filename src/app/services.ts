import type { Secret } from '../base/index.ts'
import { openCursor, sealCursor } from '../crypto/index.ts'
import { type Database, loadRow, pagerWith, scopedDatabase } from '../data/index.ts'
import type { PipelineServices } from '../http/index.ts'
import type { Identify } from '../identity/index.ts'
import { type LimitStore, limitFields } from '../limits/index.ts'
import type { Vocabulary } from '../route/index.ts'

/** What the services are made of. */
export interface ServiceParts {
  readonly database: Database
  readonly vocabulary: Vocabulary
  readonly identify: Identify
  readonly limits: LimitStore
  /** Seals the cursors of lists. */
  readonly cursorKey: Secret<Buffer>
}

/** Hands the capabilities to the pipeline: the one place where they meet. */
export function servicesOf({
  database,
  vocabulary,
  identify,
  limits,
  cursorKey,
}: ServiceParts): PipelineServices {
  const { resources } = vocabulary
  return {
    count: async (name, limit, key) => {
      const decision = await limits.consume([{ name, limit, key }], monotonicMs())
      return { allowed: decision.allowed, fields: limitFields(decision) }
    },
    identify,
    scoped: (scope) => scopedDatabase(database, resources, scope),
    pager: (route, userId) => {
      const place = `${route} ${userId ?? ''}`
      return pagerWith({
        seal: (position) => sealCursor(cursorKey, place, position),
        open: (text) => openCursor(cursorKey, place, text),
      })
    },
    loadRow: (resource, action, key, scope) => loadRow(database, resources, resource, { scope, action, key }),
  }
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
  pager: nothing,
  loadRow: nothing,
}
