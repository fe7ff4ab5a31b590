import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply } from 'fastify'
import { nodeHttp } from '../base/index.ts'
import { Problem, type ProblemCode, problemBody } from '../errors/index.ts'
import { isTlsSocket, securityHeaders } from './headers.ts'
import { dress, HardenedReply } from './response.ts'

const contentType = 'application/problem+json'

// What a handler or a plugin set before it failed says something about content that is no longer sent. Only these
// fields are about the exchange itself.
const keptNames: ReadonlySet<string> = new Set([
  'connection',
  'ratelimit',
  'ratelimit-policy',
  'set-cookie',
  'x-request-id',
  'x-response-time',
  'api-version',
])

/**
 * Sends a problem: the one way in which an error leaves the server.
 *
 * It writes past Fastify's serialisers and onSend hooks: if one of them threw as well, Fastify would answer by
 * itself, with the message of the error in the body.
 *
 * @see RFC 9457, OWASP ASVS 5.0 §16.5.1
 */
export function sendProblem(reply: FastifyReply, problem: Problem): void {
  const { raw, request } = reply
  const kept = Object.entries(reply.getHeaders()).filter(([name]) => isKept(name))
  reply.hijack()
  if (raw.headersSent) {
    // Half a reply is out; the client must not take it for a whole one.
    raw.destroy()
    return
  }
  if (raw instanceof HardenedReply) raw.startAnew()
  else startAnew(raw)
  for (const [name, value] of kept) if (value !== undefined) raw.setHeader(name, value)
  for (const [name, value] of Object.entries(headersOf(problem))) raw.setHeader(name, value)
  const text = bodyText(problem, request.id)
  raw.setHeader('content-length', Buffer.byteLength(text))
  raw.statusCode = problem.status
  if (request.method === 'HEAD') raw.end()
  else raw.end(text)
}

function startAnew(raw: ServerResponse): void {
  const isSecure = raw.hasHeader('strict-transport-security')
  for (const name of raw.getHeaderNames()) raw.removeHeader(name)
  dress(raw, isSecure)
}

function isKept(name: string): boolean {
  return keptNames.has(name) || name.startsWith('access-control-') || name.startsWith('x-ratelimit-')
}

/**
 * Writes a problem to a socket that never became a request, and closes it.
 *
 * @param requestId Stands in the log too.
 */
export function writeProblem(socket: Socket, code: ProblemCode, requestId: string): void {
  const problem = new Problem(code, 'socket')
  const text = bodyText(problem, requestId)
  const fields: (readonly [string, string])[] = [
    ...securityHeaders(isTlsSocket(socket)),
    ...Object.entries(headersOf(problem)),
    ['content-length', String(Buffer.byteLength(text))],
    ['connection', 'close'],
    ['date', new Date().toUTCString()],
  ]
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.write(`HTTP/1.1 ${problem.status} ${nodeHttp.STATUS_CODES[problem.status]}\r\n${head}\r\n${text}`)
  // Closes once the reply is out; a peer that keeps the connection half open does not keep the socket.
  socket.destroySoon()
}

function bodyText(problem: Problem, requestId: string): string {
  return JSON.stringify(problemBody(problem, requestId))
}

function headersOf(problem: Problem): Record<string, string> {
  return {
    'content-type': contentType,
    // RFC 9110 §15.5.2: a 401 names at least one way to authenticate.
    ...(problem.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...problem.headers,
  }
}
