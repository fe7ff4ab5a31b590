import { CATALOGUE, Problem, type ProblemCode, problemBody } from '../errors/index.ts'
import type { JsonSchema } from '../schema/index.ts'

/** The shape of every error body. */
export const problemSchema: JsonSchema = {
  type: 'object',
  description:
    'What went wrong (RFC 9457). The body says the same in every environment and echoes nothing back.',
  required: ['type', 'title', 'status', 'detail', 'instance'],
  properties: {
    type: { type: 'string', format: 'uri', description: 'The kind of problem; programs compare this.' },
    title: { type: 'string', description: 'One sentence about the kind of problem.' },
    status: { type: 'integer', minimum: 400, maximum: 599, description: 'The status code of the reply.' },
    detail: { type: 'string', description: 'One sentence about this occurrence.' },
    instance: { type: 'string', description: 'The request id, which also stands in the log.' },
    errors: {
      type: 'array',
      description: 'For an input that does not fit: each place, and what is expected there.',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: {
          path: {
            type: 'string',
            description: 'A JSON Pointer into the request: /body/title, /query/limit.',
          },
          message: { type: 'string' },
        },
      },
    },
  },
}

/** Header fields that replies share. */
export const sharedHeaders: JsonSchema = {
  ETag: {
    description: 'The revision of the row, where the resource counts revisions. Send it back as If-Match.',
    schema: { type: 'string' },
    example: '"3"',
  },
  RateLimit: {
    description: 'Requests left in the limit class, and the seconds until there is one more.',
    schema: { type: 'string' },
    example: '"read";r=0;t=12',
  },
  RateLimitPolicy: {
    description: 'The limit class: requests and seconds.',
    schema: { type: 'string' },
    example: '"read";q=300;w=60',
  },
  RetryAfter: {
    description: 'Seconds to wait before the next attempt.',
    schema: { type: 'integer', minimum: 1 },
  },
  WwwAuthenticate: { description: 'How to authenticate.', schema: { type: 'string', const: 'Bearer' } },
}

/** Conditional request headers that routes with a row take. */
export const sharedParameters: JsonSchema = {
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'Change the row only if it still has this revision; otherwise 412 and nothing happens.',
    schema: { type: 'string' },
    example: '"3"',
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'Answer 304 without a body if the row still has this revision.',
    schema: { type: 'string' },
    example: '"3"',
  },
}

const headersByStatus: ReadonlyMap<number, JsonSchema> = new Map<number, JsonSchema>([
  [401, { 'WWW-Authenticate': header('WwwAuthenticate') }],
  [
    429,
    {
      'Retry-After': header('RetryAfter'),
      RateLimit: header('RateLimit'),
      'RateLimit-Policy': header('RateLimitPolicy'),
    },
  ],
  [503, { 'Retry-After': header('RetryAfter') }],
])

/** A reference to a shared header. */
export function header(name: string): JsonSchema {
  return { $ref: `#/components/headers/${name}` }
}

/** The refusals of one document, each kind written once. */
export class ProblemResponses {
  readonly #responses = new Map<string, JsonSchema>()

  /** References to the responses for these problems, by status. */
  of(codes: readonly ProblemCode[]): readonly (readonly [status: string, response: JsonSchema])[] {
    const byStatus = Map.groupBy(codes, (code) => CATALOGUE[code].status)
    return [...byStatus].map(([status, group]) => {
      const name = group.map(pascal).join('Or')
      this.#responses.set(name, responseOf(status, group))
      return [String(status), { $ref: `#/components/responses/${name}` }]
    })
  }

  /** All of them by name. */
  toJson(): JsonSchema {
    return Object.fromEntries([...this.#responses].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

/** Stands for what can meet any request: 408, 414, 421, 431 and what is to come. */
export const otherProblem: JsonSchema = {
  description: 'Any other refusal, in the same form.',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

function responseOf(status: number, codes: readonly ProblemCode[]): JsonSchema {
  const headers = headersByStatus.get(status)
  return {
    description: codes.map((code) => CATALOGUE[code].title).join(' Or: '),
    ...(headers === undefined ? {} : { headers }),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(codes.map((code) => [code, { value: problemExample(code) }])),
      },
    },
  }
}

/** The body that a problem is answered with, for a made-up request. */
export function problemExample(code: ProblemCode): JsonSchema {
  const errors = [{ path: '/body', message: 'has a key that is not declared' }]
  const problem = new Problem(code, 'an example', code === 'VALIDATION_FAILED' ? { errors } : {})
  return { ...problemBody(problem, '01a2b3c4-7c1e-7000-9d3b-5a1b0c2d3e4f') }
}

function pascal(code: ProblemCode): string {
  return code
    .toLowerCase()
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')
}
