import { verify } from 'node:crypto'
import { writeSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Item, itemsOf, keys, ownerId, revokedSession, rules, serve } from './shared.ts'

// Every control by hand, for this one route and nothing else: what they cost at the least. No framework, nothing that
// can be configured, no faults explained.

const items = itemsOf(ownerId)
const prefix = '/api/items/'
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Buckets that say until when they are spoken for: the generic cell rate algorithm. */
class Limit {
  readonly #intervalMs = 60_000 / rules.limitPerMinute
  readonly #burstMs = 60_000
  readonly #untilMs = new Map<string, number>()
  readonly #maxCount = 100_000

  /** Whether one more may pass. */
  take(key: string, nowMs: number): boolean {
    const untilMs = Math.max(this.#untilMs.get(key) ?? 0, nowMs) + this.#intervalMs
    if (untilMs - nowMs > this.#burstMs) return false
    if (this.#untilMs.size >= this.#maxCount && !this.#untilMs.has(key)) this.#untilMs.clear()
    this.#untilMs.set(key, untilMs)
    return true
  }
}

interface Claims {
  readonly sub: string
  readonly sid: string
  readonly expiresMs: number
}

const verified = new Map<string, Claims>()
const verifiedMaxCount = 10_000
const revoked = new Set([revokedSession])
const algorithm = Buffer.from('{"alg":"EdDSA","typ":"JWT"}').toString('base64url')

/** Whose token it is; `null` for one that is not good now. */
function claimsOf(field: string | undefined, nowMs: number): Claims | null {
  if (field === undefined) return null
  const claims = verified.get(field) ?? verifiedNow(field)
  return claims === null || claims.expiresMs <= nowMs || revoked.has(claims.sid) ? null : claims
}

function verifiedNow(field: string): Claims | null {
  const [head, payload, signature, more] = field.slice('Bearer '.length).split('.')
  if (!field.startsWith('Bearer ') || head !== algorithm || more !== undefined) return null
  if (payload === undefined || signature === undefined) return null
  const signed = Buffer.from(`${head}.${payload}`)
  if (!verify(null, signed, keys.ed25519.publicKey, Buffer.from(signature, 'base64url'))) return null
  const found = JSON.parse(Buffer.from(payload, 'base64url').toString())
  if (found.iss !== rules.issuer || found.aud !== rules.issuer) return null
  const claims = { sub: String(found.sub), sid: String(found.sid), expiresMs: Number(found.exp) * 1_000 }
  if (verified.size >= verifiedMaxCount) verified.clear()
  verified.set(field, claims)
  return claims
}

const fixed = [
  ...['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
  ...['Cross-Origin-Opener-Policy', 'same-origin', 'Cross-Origin-Resource-Policy', 'same-origin'],
  ...['Referrer-Policy', 'no-referrer', 'Strict-Transport-Security', 'max-age=31536000; includeSubDomains'],
  ...['X-Content-Type-Options', 'nosniff', 'X-Frame-Options', 'DENY', 'Cache-Control', 'no-store'],
  ...['Vary', 'Origin', 'Content-Type', 'application/json; charset=utf-8'],
]

const byAddress = new Limit()
const byAccount = new Limit()
const counts = new Uint32Array(600)
const bannedAddresses = new Set<string>()
let served = ''
let lines = ''

function flush(): void {
  if (lines !== '') writeSync(1, lines)
  lines = ''
}
setInterval(flush, 100).unref()

function log(request: IncomingMessage, status: number, startMs: number): void {
  counts[status] = (counts[status] ?? 0) + 1
  const { method, url, socket } = request
  const durationMs = performance.now() - startMs
  // JSON.stringify only for what a caller has written.
  lines += `{"level":30,"time":${Date.now()},"method":"${method}","url":${JSON.stringify(url)},"status":${status},"ip":"${socket.remoteAddress}","durationMs":${durationMs.toFixed(3)}}\n`
  if (lines.length > 16_384) flush()
}

type Outcome = { readonly status: number; readonly item?: Item }

function decide(request: IncomingMessage): Outcome {
  const nowMs = Date.now()
  const { headers, url = '', socket } = request
  const address = socket.remoteAddress ?? ''
  if (bannedAddresses.has(address)) return { status: 403 }
  if (headers.host !== served) return { status: 421 }
  if (!byAddress.take(address, nowMs)) return { status: 429 }
  if (request.method !== 'GET' || !url.startsWith(prefix)) return { status: 404 }
  const claims = claimsOf(headers.authorization, nowMs)
  if (claims === null) return { status: 401 }
  if (!byAccount.take(claims.sub, nowMs)) return { status: 429 }
  const id = url.slice(prefix.length)
  if (!uuid.test(id)) return { status: 400 }
  const item = items.get(id)
  return item === undefined || item.ownerId !== claims.sub ? { status: 404 } : { status: 200, item }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const startMs = performance.now()
  const { status, item } = decide(request)
  let text = '{"error":"refused"}'
  if (item !== undefined) {
    const { id, ownerId, title, body, createdAt, updatedAt } = item
    text = JSON.stringify({ id, ownerId, title, body, createdAt, updatedAt })
  }
  const head = [...fixed, 'Content-Length', String(Buffer.byteLength(text))]
  if (request.headers.origin === rules.allowedOrigin)
    head.push('Access-Control-Allow-Origin', rules.allowedOrigin)
  response.writeHead(status, head)
  response.end(text)
  log(request, status, startMs)
}

process.once('exit', flush)
serve(createServer(answer), 'EdDSA', (host) => {
  served = host
})
