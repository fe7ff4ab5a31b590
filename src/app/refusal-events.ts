import type { ProblemCode } from '../errors/index.ts'
import type { EmitEvent, KnownEventName } from '../events/index.ts'
import type { ObservedRequest } from '../http/index.ts'

// A refusal that is not here is no event of its own: a banned client is counted and stands in the log, and a missing
// row becomes an event once somebody has looked whether it is somebody else's.
const eventOf: Partial<Readonly<Record<ProblemCode, KnownEventName>>> = {
  BAD_REQUEST: 'input_validation_fail',
  JSON_REFUSED: 'input_validation_fail',
  VALIDATION_FAILED: 'input_validation_fail',
  FORBIDDEN: 'authz_fail',
  CROSS_SITE_REFUSED: 'malicious_csrf',
  QUOTA_EXCEEDED: 'excess_rate_limit_exceeded',
}

/**
 * Emits an event for a request that was refused for a reason that matters. All are of the kind that is counted instead
 * of kept under overload: anybody can cause them.
 *
 * @see OWASP ASVS 5.0 §16.3.2, §16.3.3
 */
export function refusalEvents(emit: EmitEvent): (request: ObservedRequest) => void {
  return (request) => {
    if (request.isForeignOrigin === true) emit({ event: 'malicious_cors', ...factsOf(request) })
    const event = request.problem === null ? undefined : eventOf[request.problem]
    if (event === undefined) return
    const { problem, reason } = request
    emit({ event, ...factsOf(request), ...(reason === null ? {} : { reason }), details: { problem } })
  }
}

function factsOf({ userId, sessionId, address, route, method, requestId }: ObservedRequest) {
  return {
    userId,
    ...(sessionId === null ? {} : { sessionId }),
    address,
    ...(route === null ? {} : { route: `${method} ${route}` }),
    requestId,
  }
}
