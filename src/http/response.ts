import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { nodeHttp } from '../base/index.ts'
import { securityHeaders, tellingHeaders } from './headers.ts'

/** The reply of each socket's latest request, for whoever finds the socket broken. */
export interface LatestReplies {
  /** True while a reply is on its way whose head has been sent: nothing else may be written to the socket. */
  isReplying(socket: Socket): boolean
}

/** What a server needs to make its replies. */
export interface HardenedReplies extends LatestReplies {
  readonly Reply: typeof ServerResponse
}

/**
 * Makes the class of a server's replies. Each is born with the security headers and cannot take on a header that
 * tells what the server is built of, so that this holds also for the replies that Node writes by itself.
 *
 * @param isSecure Tells whether a request came over TLS.
 */
export function hardenedReplies(isSecure: (request: IncomingMessage) => boolean): HardenedReplies {
  const latest = new WeakMap<Socket, ServerResponse>()
  class Reply<Request extends IncomingMessage> extends nodeHttp.ServerResponse<Request> {
    constructor(...args: readonly [request: Request]) {
      // Node hands over more than the declared argument.
      super(...args)
      const [request] = args
      latest.set(request.socket, this)
      dress(this, isSecure(request))
    }

    override setHeader(name: string, value: number | string | readonly string[]): this {
      return tellingHeaders.has(name.toLowerCase()) ? this : super.setHeader(name, value)
    }

    override appendHeader(name: string, value: string | readonly string[]): this {
      return tellingHeaders.has(name.toLowerCase()) ? this : super.appendHeader(name, value)
    }
  }
  return {
    Reply,
    isReplying(socket) {
      const reply = latest.get(socket)
      return reply?.headersSent === true && !reply.writableFinished
    },
  }
}

/** Puts the security headers on a reply; whatever a handler sets later under the same name wins. */
export function dress(reply: ServerResponse, isSecure: boolean): void {
  for (const [name, value] of securityHeaders(isSecure)) reply.setHeader(name, value)
}
