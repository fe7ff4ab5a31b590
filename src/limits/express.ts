import { newId } from '../base/index.ts'
import { Guard, type GuardOptions, type LimitedReply } from './guard.ts'
import type { Limiter } from './limiter.ts'
import type { RefusalReply } from './refusal.ts'

/** As much of a request of Express, Connect or `node:http` as is needed. */
export interface ExpressLike {
  readonly method?: string | undefined
  /** Express makes it of the socket and, if `trust proxy` says so, of `X-Forwarded-For`. */
  readonly ip?: string | undefined
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** As much of their reply. */
export interface ExpressLikeReply extends LimitedReply {
  statusCode: number
  removeHeader(name: string): unknown
  end(text?: string): unknown
}

/** A middleware. */
export type ExpressLimits<Request> = (
  request: Request,
  reply: ExpressLikeReply,
  next: (error?: unknown) => void,
) => void

/**
 * A middleware for Express 4 and 5, Nest on Express, and Connect; also callable from a listener of `node:http`. It counts
 * a request before anything behind it runs, sets the RateLimit fields on the reply, and refuses with 429. What throws
 * goes to `next(error)`.
 *
 * The address is `request.ip`, so that Express's own `trust proxy` decides whom to believe, or else that of the socket.
 * `X-Forwarded-For` is not read here: anybody can send one, with an address of their choice.
 *
 * @throws TypeError for a limiter that would count nobody
 * @example app.use(expressLimits(createLimiter(per('minute', 300))))
 * @example app.post('/login', expressLimits(createLimiter(per('15 minutes', 10, { counts: 'failures' }), { name: 'login' })), login)
 * @see OWASP ASVS 5.0 §2.4.1, §4.1.3
 */
export function expressLimits<Request extends ExpressLike = ExpressLike>(
  limiter: Limiter,
  options: GuardOptions<Request> = {},
): ExpressLimits<Request> {
  const guard = new Guard(limiter, options)
  return (request, reply, next) => {
    const own = { address: request.ip ?? request.socket.remoteAddress ?? '' }
    // Two functions in one call: what `next` throws must not come back as a second `next`.
    guard.admit({ request, own, instance: newId() }, reply).then((verdict) => {
      if (verdict === 'admitted') next()
      else if (verdict !== 'gone') send(verdict, request, reply)
    }, next)
  }
}

// What an earlier middleware has said about a content that is not sent now.
const contentNames = ['content-encoding', 'content-disposition', 'content-language', 'content-range', 'etag']

function send(
  { status, fields, text }: RefusalReply,
  { method }: ExpressLike,
  reply: ExpressLikeReply,
): void {
  for (const name of [...contentNames, 'last-modified']) reply.removeHeader(name)
  for (const [name, value] of Object.entries(fields)) reply.setHeader(name, value)
  reply.setHeader('content-length', String(Buffer.byteLength(text)))
  reply.statusCode = status
  if (method === 'HEAD') reply.end()
  else reply.end(text)
}
