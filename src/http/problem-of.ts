import { isNoRow } from '../data/index.ts'
import { type InputFault, Problem, type ProblemCode } from '../errors/index.ts'

// Fastify's own errors that a client can cause. All others of the framework are mistakes of ours or of a plugin.
const frameworkCodes: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_BAD_URL: 'BAD_REQUEST',
  FST_ERR_CTP_BODY_TOO_LARGE: 'CONTENT_TOO_LARGE',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'JSON_REFUSED',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BAD_REQUEST',
  FST_ERR_CTP_INVALID_JSON_BODY: 'JSON_REFUSED',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_HANDLER_TIMEOUT: 'UNAVAILABLE',
  FST_ERR_MAX_PARAM_LENGTH: 'URI_TOO_LONG',
  FST_ERR_NOT_FOUND: 'NOT_FOUND',
  FST_ERR_ROUTE_MISSING_CONTENT: 'BAD_REQUEST',
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: 'BAD_REQUEST',
  FST_ERR_VALIDATION: 'VALIDATION_FAILED',
}

// What a plugin of the Fastify project means by a status: its errors carry one and a code that starts with FST_.
const pluginStatuses: ReadonlyMap<unknown, ProblemCode> = new Map([
  [400, 'BAD_REQUEST'],
  [401, 'UNAUTHENTICATED'],
  [403, 'FORBIDDEN'],
  [404, 'NOT_FOUND'],
  [406, 'BAD_REQUEST'],
  [409, 'CONFLICT'],
  [412, 'PRECONDITION_FAILED'],
  [413, 'CONTENT_TOO_LARGE'],
  [414, 'URI_TOO_LONG'],
  [415, 'UNSUPPORTED_MEDIA_TYPE'],
  [429, 'QUOTA_EXCEEDED'],
  [431, 'HEADERS_TOO_LARGE'],
  [503, 'UNAVAILABLE'],
])

const maxFaultCount = 20

/**
 * The problem that stands for anything thrown. What nobody foresaw is `INTERNAL`: its cause is for the log, and
 * nothing of it is sent.
 *
 * @see OWASP ASVS 5.0 §16.5.1, §16.5.3
 */
export function problemOf(thrown: unknown): Problem {
  try {
    return readProblem(thrown)
  } catch {
    // An object whose members cannot be read: a proxy, or one with a getter that throws.
    return new Problem('INTERNAL', 'unforeseen', { cause: 'what was thrown cannot be read' })
  }
}

function readProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  const { code, statusCode } = traitsOf(thrown)
  if (isNoRow(thrown)) return new Problem('NOT_FOUND', 'a query had no row', { cause: thrown })
  const known =
    typeof code === 'string' && code.startsWith('FST_')
      ? (frameworkCodes[code] ?? pluginStatuses.get(statusCode))
      : undefined
  if (known === undefined)
    return new Problem('INTERNAL', 'unforeseen', { cause: thrown ?? 'nothing was thrown' })
  return new Problem(known, String(code), {
    cause: thrown,
    ...(known === 'VALIDATION_FAILED' ? { errors: faultsOf(thrown) } : {}),
    ...(known === 'UNAVAILABLE' ? { headers: { 'retry-after': '5' } } : {}),
  })
}

interface Traits {
  readonly code?: unknown
  readonly statusCode?: unknown
}

function traitsOf(thrown: unknown): Traits {
  return typeof thrown === 'object' && thrown !== null ? thrown : {}
}

// A plugin's route may have a JSON Schema of its own; Fastify then reports in this form.
function faultsOf(thrown: unknown): readonly InputFault[] {
  if (typeof thrown !== 'object' || thrown === null || !('validation' in thrown)) return []
  if (!Array.isArray(thrown.validation)) return []
  const part = 'validationContext' in thrown ? String(thrown.validationContext) : 'body'
  const faults: readonly { instancePath?: unknown; message?: unknown }[] = thrown.validation
  return faults.slice(0, maxFaultCount).map(({ instancePath, message }) => ({
    path: `/${part === 'querystring' ? 'query' : part}${String(instancePath ?? '')}`,
    message: String(message ?? 'does not fit'),
  }))
}
