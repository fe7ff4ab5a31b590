import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import type { ProblemCode } from '../errors/index.ts'
import { writeProblem } from './problem-reply.ts'
import type { LatestReplies } from './response.ts'

const codes: Readonly<Record<string, ProblemCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'CONTENT_TOO_LARGE',
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
}

/**
 * Makes the handler for what arrives on a socket and is no HTTP request, or not in time: a full reply with a
 * problem body, then the connection is closed, because nobody knows where the next request would start.
 *
 * @see RFC 9112 §11.2, OWASP ASVS 5.0 §4.2.1
 */
export function socketErrorHandler(
  replies: LatestReplies,
  logger: FastifyBaseLogger,
): (error: Error & { readonly code: string }, socket: Socket) => void {
  return (error, socket) => {
    // A connection that the client dropped is no event. One with a reply under way would take ours for part of it.
    if (error.code === 'ECONNRESET' || !socket.writable || replies.isReplying(socket)) {
      socket.destroy()
      return
    }
    const problem = codes[error.code] ?? 'BAD_REQUEST'
    const requestId = crypto.randomUUID()
    logger.warn(
      { requestId, problem, reason: error.code, peer: socket.remoteAddress },
      'request refused at the socket',
    )
    writeProblem(socket, problem, requestId)
  }
}
