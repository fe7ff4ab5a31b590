import type { FastifyInstance } from 'fastify'

/** A route as Fastify registered it: ours, a plugin's, an automatic HEAD or an explicit OPTIONS. */
export interface RegisteredRoute {
  readonly method: string
  /** The pattern with its prefix: `/api/notes/:id`. */
  readonly url: string
  /** The prefix of the plugin that registered it; empty at the root. */
  readonly prefix: string
  /** The route's `config`, the same object that its requests see. */
  readonly config: object
}

/**
 * Collects every route from now on. A hook of this kind does not see the routes that were there before it, so this
 * is the first thing that is done to an instance.
 */
export function collectRoutes(fastify: FastifyInstance): readonly RegisteredRoute[] {
  const routes: RegisteredRoute[] = []
  fastify.addHook('onRoute', (route) => {
    const { method, url, prefix } = route
    for (const name of Array.isArray(method) ? method : [method]) {
      // Read when it is asked for: a hook after this one may give the route its config.
      routes.push({
        method: name,
        url,
        prefix,
        get config() {
          return route.config ?? {}
        },
      })
    }
  })
  return routes
}
