import type { Principal } from '../route/index.ts'
import type { Deadlines } from './deadlines.ts'
import type { ForeignHooks } from './foreign-hooks.ts'
import type { RequestState } from './request-state.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What routes of ours need of the edge. */
    edge: {
      /** Cuts off handlers that take too long. */
      readonly deadlines: Deadlines
      readonly foreignHooks: ForeignHooks
      /** True where each reply of ours can go straight to the socket. */
      readonly isPlain: boolean
    }
  }
  interface FastifyRequest {
    /** What the edge knows of it; its own from the first hook on. */
    state: RequestState
    /** The client's address, normalised; a trusted proxy's word is taken, nobody else's. */
    readonly clientAddress: string
    /** Who has asked, once admission knows; `null` before, for strangers, and on open routes. */
    readonly caller: Principal | null
  }
}
