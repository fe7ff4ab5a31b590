import { assert } from '../base/index.ts'
import type { HeaderBlock } from './headers.ts'

const requestFields = 'authorization, content-type, idempotency-key, if-match, if-none-match'
const exposedFields = 'etag, location, ratelimit, ratelimit-policy, retry-after'
const preflightSeconds = 600

/** The answers to cross-origin requests. */
export interface Cors {
  /** What a reply to this origin carries; nothing for a foreign one or none. */
  grant(origin: string | undefined): HeaderBlock
  /** What the reply to a preflight carries. `methods`: those that the path offers. */
  grantPreflight(origin: string | undefined, requested: string, methods: readonly string[]): HeaderBlock
}

/**
 * Makes the CORS answers for a list of exact origins. There is no wildcard, no pattern and no `null`; a request
 * without an Origin gets no CORS header, because it is not one that CORS is about. `Vary: Origin` stands on every
 * reply anyway.
 *
 * @param allowedOrigins Checked with the settings: scheme, host and port, nothing else.
 * @see OWASP ASVS 5.0 §3.4.2
 */
export function corsFor(allowedOrigins: readonly string[]): Cors {
  for (const origin of allowedOrigins) {
    assert(originFault(origin) === undefined, 'the allowed origins were checked with the settings')
  }
  const allowed = new Set(allowedOrigins)
  const identity = (origin: string): HeaderBlock => [
    ['access-control-allow-origin', origin],
    ['access-control-allow-credentials', 'true'],
  ]
  return {
    grant(origin) {
      if (origin === undefined || !allowed.has(origin)) return []
      return [...identity(origin), ['access-control-expose-headers', exposedFields]]
    },
    grantPreflight(origin, requested, methods) {
      if (origin === undefined || !allowed.has(origin) || !methods.includes(requested)) return []
      return [
        ...identity(origin),
        ['access-control-allow-methods', methods.join(', ')],
        ['access-control-allow-headers', requestFields],
        ['access-control-max-age', String(preflightSeconds)],
      ]
    },
  }
}

/** What is wrong with an allowed origin; `undefined` for one in the exact form that browsers send. */
export function originFault(origin: string): string | undefined {
  if (!URL.canParse(origin)) return 'expected an origin such as https://app.example.com'
  const url = new URL(origin)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'expected an http or https origin'
  return url.origin === origin ? undefined : 'expected scheme, host and port only, as browsers send them'
}
