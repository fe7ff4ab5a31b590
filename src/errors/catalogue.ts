/** What the public is told about one kind of refusal. */
export interface ProblemEntry {
  /** HTTP status code. */
  readonly status: number
  /** The one public sentence; it never names a value, a path or a cause. */
  readonly title: string
  /** Problem type URI; `urn:holdfast:problem:<code>` unless a registry has one. */
  readonly type?: string
}

const entries = {
  BAD_REQUEST: { status: 400, title: 'The request is malformed.' },
  JSON_REFUSED: { status: 400, title: 'The body is not acceptable JSON.' },
  VALIDATION_FAILED: { status: 400, title: 'The request does not fit what this endpoint takes.' },
  UNAUTHENTICATED: { status: 401, title: 'Valid credentials are required.' },
  REAUTHENTICATION_REQUIRED: {
    status: 401,
    title: 'This needs the password once more: POST /api/auth/reauthenticate.',
  },
  FORBIDDEN: { status: 403, title: 'These credentials do not allow this.' },
  CROSS_SITE_REFUSED: { status: 403, title: 'A request from another site cannot do this.' },
  NOT_FOUND: { status: 404, title: 'There is nothing here.' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'This method is not offered here.' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive.' },
  CONFLICT: { status: 409, title: 'This conflicts with what is already there.' },
  PRECONDITION_FAILED: { status: 412, title: 'The resource has changed since it was read.' },
  CONTENT_TOO_LARGE: { status: 413, title: 'The body is too large.' },
  URI_TOO_LONG: { status: 414, title: 'The address is too long.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'This content type is not accepted here.' },
  MISDIRECTED_REQUEST: { status: 421, title: 'This server does not answer for that host.' },
  IDEMPOTENCY_MISMATCH: { status: 422, title: 'This idempotency key was used for another request.' },
  IDEMPOTENCY_RUNNING: {
    status: 409,
    title: 'The first request with this idempotency key is still running.',
  },
  PRECONDITION_REQUIRED: { status: 428, title: 'An If-Match header is required.' },
  QUOTA_EXCEEDED: {
    status: 429,
    title: 'Too many requests.',
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  },
  ABNORMAL_USAGE: {
    status: 429,
    title: 'Requests from here are refused for now.',
    type: 'https://iana.org/assignments/http-problem-types#abnormal-usage-detected',
  },
  HEADERS_TOO_LARGE: { status: 431, title: 'The request headers are too large.' },
  INTERNAL: { status: 500, title: 'Something went wrong here.' },
  NOT_IMPLEMENTED: { status: 501, title: 'This method is not known here.' },
  OVERLOADED: {
    status: 503,
    title: 'The server is busy. Try again shortly.',
    type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
  },
  UNAVAILABLE: { status: 503, title: 'A part this needs is not available. Try again shortly.' },
  STOPPING: { status: 503, title: 'The server is stopping. Try again shortly.' },
} satisfies Record<string, ProblemEntry>

/** The stable code of a problem; also the last part of its type URI, in lower case with hyphens. */
export type ProblemCode = keyof typeof entries

/** Every problem there is. A retired code is never used again. */
export const CATALOGUE: Readonly<Record<ProblemCode, ProblemEntry>> = entries
