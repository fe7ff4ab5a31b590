import type { FastifyReply, FastifyRequest } from 'fastify'
import { assert } from '../../base/index.ts'
import type { Exchange } from '../../route/index.ts'
import { cookieIn } from '../cookies.ts'

const userAgentMaxChars = 512
// RFC 6265bis §5.6: a browser drops a cookie whose name and value are longer.
const cookieMaxChars = 4096
const valuePattern = /^[A-Za-z0-9._~-]*$/

/** What a route of Holdfast's own sees of a request, and puts on its reply. */
export function exchangeOf(request: FastifyRequest, reply: FastifyReply): Exchange {
  const { cookie, 'user-agent': userAgent = '' } = request.headers
  return {
    clientAddress: request.clientAddress,
    route: `${request.method} ${request.routeOptions.url ?? ''}`,
    userAgent: userAgent.slice(0, userAgentMaxChars),
    cookie: (name) => cookieIn(cookie, name),
    setCookie({ name, value, maxAgeSeconds }) {
      const pair = `__Host-${name}=${value}`
      assert(valuePattern.test(value) && pair.length <= cookieMaxChars, 'a cookie holds a plain, short value')
      // Fastify appends: a reply may set several cookies, each name once.
      reply.header(
        'set-cookie',
        `${pair}; Max-Age=${maxAgeSeconds}; Path=/; HttpOnly; Secure; SameSite=Strict`,
      )
    },
    clearSiteData(what) {
      reply.header('clear-site-data', `"cache", "storage"${what === 'everything' ? ', "cookies"' : ''}`)
    },
  }
}
