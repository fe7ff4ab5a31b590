import type { RequestListener, Server } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { nodeHttp } from '../base/index.ts'
import type { EdgeLimits } from './limits.ts'
import { writeProblem } from './problem-reply.ts'
import type { HardenedReplies } from './response.ts'
import { type TlsFiles, tlsOptions, watchCertificate } from './tls.ts'

/** What a server is made of. */
export interface NodeServerParts {
  readonly limits: EdgeLimits
  readonly replies: HardenedReplies
  readonly logger: FastifyBaseLogger
  readonly tls: TlsFiles | undefined
  /** Milliseconds between two looks at the certificate files. */
  readonly tlsPollMs: number
}

const logPauseMs = 10_000

/** Makes Node's server with every limit set, plain or TLS. */
export function createNodeServer(handler: RequestListener, parts: NodeServerParts): Server {
  const { limits, logger, tls } = parts
  const options = serverOptions(parts)
  const server =
    tls === undefined ? nodeHttp.createServer(options, handler) : secureServer(options, handler, tls, parts)
  server.maxConnections = limits.connectionCount
  server.setTimeout(limits.socketIdleTimeoutMs)
  // An expectation that nobody knows may be ignored (RFC 9110 §10.1.1); Node's own 417 would have no body.
  server.on('checkExpectation', handler)
  server.on('connect', (_request, socket) => {
    if (socket instanceof Socket) writeProblem(socket, 'NOT_IMPLEMENTED', crypto.randomUUID())
    else socket.destroy()
  })
  server.on('drop', countedLog(logger, 'connections refused: too many are open'))
  return server
}

function serverOptions({ limits, replies }: NodeServerParts): ServerOptions {
  return {
    ServerResponse: replies.Reply,
    // The parser counts the request target too; both parts are held against their own limit later.
    maxHeaderSize: limits.urlChars + limits.headerBytes,
    insecureHTTPParser: false,
    joinDuplicateHeaders: false,
    // A missing Host is refused by the host check, with a body; Node's refusal has none.
    requireHostHeader: false,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.timeoutCheckIntervalMs,
    noDelay: true,
  }
}

function secureServer(
  options: ServerOptions,
  handler: RequestListener,
  files: TlsFiles,
  parts: NodeServerParts,
): Server {
  const server = createTlsServer({ ...options, ...tlsOptions(files) }, handler)
  const stopWatching = watchCertificate(server, { files, logger: parts.logger, pollMs: parts.tlsPollMs })
  server.on('close', stopWatching)
  server.on('tlsClientError', countedLog(parts.logger, 'TLS handshakes failed'))
  return server
}

// What strangers can cause at will is counted and written at most every ten seconds.
function countedLog(logger: FastifyBaseLogger, message: string): () => void {
  let count = 0
  let writtenAtMs = Number.NEGATIVE_INFINITY
  return () => {
    count++
    if (performance.now() - writtenAtMs < logPauseMs) return
    writtenAtMs = performance.now()
    logger.warn({ count }, message)
    count = 0
  }
}
