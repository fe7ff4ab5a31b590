import { per } from '../limits/index.ts'
import type { LimitClass } from '../route/index.ts'

/** Limit classes of Holdfast's own routes. An application's class of the same name wins. */
export const builtinLimits: Readonly<Record<'probe' | 'reference' | 'unknown', LimitClass>> = {
  /** Health probes: an orchestrator asks every second or so. */
  probe: per('minute', 600),
  /** The OpenAPI document and its page. */
  reference: per('minute', 120),
  /** Requests that no route answers: crawlers and scanners. */
  unknown: per('minute', 300),
}
