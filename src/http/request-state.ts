import type { Decision, Principal } from '../route/index.ts'
import type { TracedRequest } from './traced.ts'

/**
 * What the edge knows of a request. One object, because each member that Fastify itself adds to a request costs as much
 * as a whole limit.
 */
export class RequestState {
  /** When it came in, in milliseconds of a clock that does not step back. */
  readonly startedMs = performance.now()
  /** The client's address, normalised; a trusted proxy's word is taken, nobody else's. */
  clientAddress = ''
  /** Who has asked, once admission knows; `null` before, for strangers, and on open routes. */
  caller: Principal | null = null
  /** What the route's access rule says of whoever asks; `null` before admission. */
  decision: Decision | null = null
  /** The pattern of a route of ours, once it is admitted; of any other, `routeOptions` tells. */
  pattern: string | undefined = undefined
  /** True for a preflight of an origin that CORS does not grant anything. */
  isForeignOrigin = false
  /** The span of the request, where somebody records it. */
  trace: TracedRequest | undefined = undefined
  /** True once its line is in the log. */
  isNoted = false
}
