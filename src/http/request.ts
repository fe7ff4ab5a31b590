import type { Principal } from '../route/index.ts'
import type { TracedRequest } from './traced.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The client's address, normalised; a trusted proxy's word is taken, nobody else's. */
    clientAddress: string
    /** Who has asked, once admission knows; `null` before, for strangers, and on open routes. */
    caller: Principal | null
    /** True for a preflight of an origin that CORS does not grant anything. */
    isForeignOrigin: boolean
    /** The span of the request, where somebody records it. */
    trace: TracedRequest | undefined
    /** True once its line is in the log. */
    isNoted: boolean
  }
}
