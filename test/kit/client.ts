import { strict as assert } from 'node:assert'

/** What a request carries besides method and path. */
export interface Asking {
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is, with the content type in `headers`. */
  readonly raw?: string
}

/** A reply, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The body as it came. */
  readonly content: string
  /** The body read as JSON; `undefined` when it is empty. */
  readonly json: unknown
  /** A member of the JSON body that must be a text. */
  text(member: string): string
  /** A header field that must be there. */
  header(name: string): string
}

/** Makes a client of one server that sends these headers with everything. */
export function askWith(
  address: string,
  constant: Readonly<Record<string, string>>,
): (method: string, path: string, asking?: Asking) => Promise<Answer> {
  return async (method, path, { headers = {}, body, raw } = {}) => {
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(address + path, {
      method,
      redirect: 'manual',
      headers: { ...constant, ...type, ...headers },
      ...(content === undefined ? {} : { body: content }),
    })
    return answerOf(response.status, response.headers, await response.text())
  }
}

function answerOf(status: number, headers: Headers, content: string): Answer {
  const isJson = /^application\/(problem\+)?json/.test(headers.get('content-type') ?? '')
  const json: unknown = isJson && content !== '' ? JSON.parse(content) : undefined
  return {
    status,
    headers,
    content,
    json,
    text(member) {
      const value = memberOf(json, member)
      assert(typeof value === 'string', `${member} is no text in ${status} ${content}`)
      return value
    },
    header(name) {
      const value = headers.get(name)
      assert(value !== null, `no ${name} on ${status} ${content}`)
      return value
    },
  }
}

/** A member of a value that came from outside; `undefined` when there is none. */
export function memberOf(value: unknown, member: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, member) : undefined
}

/** The security headers that every reply must carry, whatever it is. */
export const requiredHeaders: readonly string[] = [
  'cache-control',
  'content-security-policy',
  'cross-origin-embedder-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'permissions-policy',
  'referrer-policy',
  'vary',
  'x-content-type-options',
  'x-frame-options',
]
