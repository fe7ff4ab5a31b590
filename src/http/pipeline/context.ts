import type { Kysely } from 'kysely'
import type { Pager, Scope } from '../../data/index.ts'
import type { Exchange, HandlerContext, Principal } from '../../route/index.ts'
import type { Admitted } from './answer.ts'
import type { PreparedRoute } from './prepare.ts'
import type { PipelineServices } from './services.ts'

/** The parts of a request, checked; `undefined` where the route declares none. */
export interface RequestInput {
  params: unknown
  query: unknown
  body: unknown
}

/** For whom a handler works, and where. */
export interface HandlerScope {
  readonly route: PreparedRoute
  readonly request: Admitted
  readonly services: PipelineServices
  readonly scope: Scope
  /** The transaction that it works in; without it, each query stands alone. */
  readonly within?: Kysely<never> | undefined
}

/**
 * What a handler is given. What costs something is made when the handler reads it: most read one or two of these. They
 * are members of the class, so `({ db }) => …` and `context.db` find them and a spread copy does not.
 */
export class Context implements HandlerContext {
  // The row that the address names, by the name of its resource.
  [row: string]: unknown
  readonly user?: Principal
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly exchange?: Exchange
  readonly #made: HandlerScope
  #db: Kysely<never> | undefined

  constructor(made: HandlerScope, { params, query, body }: RequestInput) {
    const { decision, exchange } = made.request
    this.#made = made
    this.params = params
    this.query = query
    this.body = body
    if (decision.kind === 'known') this.user = decision.user
    if (exchange !== undefined) this.exchange = exchange
  }

  get requestId(): string {
    return this.#made.request.id
  }

  get db(): Kysely<never> {
    const { services, scope, within } = this.#made
    this.#db ??= within ?? services.scoped(scope)
    return this.#db
  }

  get transaction(): HandlerContext['transaction'] {
    const { services, scope, within } = this.#made
    return within === undefined ? (run) => services.transaction(scope, run) : (run) => run(within)
  }

  get page(): Pager {
    const { services, scope, route } = this.#made
    return services.pager(route.name, scope.userId)
  }

  /** What a handler emits says by itself who has asked, from where, and for what. */
  get emit(): HandlerContext['emit'] {
    const { services, request, route } = this.#made
    const { decision } = request
    const user = decision.kind === 'known' ? decision.user : undefined
    return (event) =>
      services.emit({
        userId: user?.id ?? null,
        ...(user?.session === undefined ? {} : { sessionId: user.session.id }),
        ...event,
        address: request.clientAddress,
        route: route.name,
        requestId: request.id,
      })
  }
}

// The last one is no tool, but to assign to it would give the context another prototype.
const tools: ReadonlySet<string> = new Set(['db', 'transaction', 'page', 'requestId', 'emit', '__proto__'])

/** Whether a name is one of the tools that every handler is given: no row takes its place. */
export function isTool(name: string): boolean {
  return tools.has(name)
}
