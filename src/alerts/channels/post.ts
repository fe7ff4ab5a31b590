import type { ClientRequest, IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { nodeHttp, type Secret } from '../../base/index.ts'
import { AlertFault } from '../alert.ts'
import { DeliveryFault, faultOf } from './fault.ts'

/** What is posted. */
export interface Post {
  readonly headers: Readonly<Record<string, string>>
  /** JSON. */
  readonly body: string
}

const answerMs = 1_000
const longestRetryAfterMs = 3_600_000

/**
 * Refuses an address to which an alert, and what signs it, would go in the clear.
 *
 * @throws AlertFault for anything but https, or http to this machine; it does not repeat the address
 * @see OWASP ASVS 5.0 §12.3.1
 */
export function requireSafeUrl(url: Secret): void {
  const parsed = URL.parse(url.reveal())
  const isSafe =
    parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && isLoopback(parsed.hostname))
  if (!isSafe)
    throw new AlertFault('unfit', 'An alert is posted to an https URL, or to http on this machine.')
}

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/**
 * Posts JSON. Redirects are not followed, which would hand the message to somebody else, and the answer is not read.
 *
 * Node's `fetch` would be shorter, and loads a whole HTTP client of some megabytes for it.
 *
 * @throws DeliveryFault unless the answer is 2xx
 */
export async function postJson(url: Secret, { headers, body }: Post, signal: AbortSignal): Promise<void> {
  const bytes = Buffer.from(body)
  const options = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': String(bytes.length),
      'user-agent': 'holdfast',
      ...headers,
    },
    agent: false as const,
    signal,
  }
  const target = new URL(url.reveal())
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = requestTo(target, options)
    sent.once('response', resolve)
    sent.once('error', (error) => reject(faultOf(error)))
    sent.end(bytes)
  })
  const status = answer.statusCode ?? 0
  ignore(answer)
  if (status >= 200 && status < 300) return
  throw new DeliveryFault(`the receiver answered ${status}`, retryAfterMs(answer.headers['retry-after']))
}

type RequestOptions = import('node:https').RequestOptions

function requestTo(target: URL, options: RequestOptions): ClientRequest {
  if (target.protocol === 'http:') return nodeHttp.request(target, options)
  return process.getBuiltinModule('node:https').request(target, { ...options, minVersion: 'TLSv1.2' })
}

/** Lets an answer come to its end, as the receiver expects, and breaks off one that does not. Nothing of it is kept. */
function ignore(answer: IncomingMessage): void {
  const patience = setTimeout(() => answer.destroy(), answerMs)
  answer.on('close', () => clearTimeout(patience))
  answer.on('error', () => undefined)
  answer.resume()
}

function retryAfterMs(field: string | undefined): number {
  const seconds = /^\d{1,6}$/.test(field ?? '') ? Number(field) : 0
  return Math.min(longestRetryAfterMs, seconds * 1000)
}
