import type { FastifyInstance } from 'fastify'

/** Hooks that others have put on requests. */
export interface ForeignHooks {
  /** How many there are. Without any, nobody but us touches the replies of our own routes. */
  readonly count: number
}

// Fastify calls these for each request; with `onRoute`, a plugin can put some of them on single routes.
const requestHooks: ReadonlySet<string> = new Set([
  'onRoute',
  'onRequest',
  'preParsing',
  'preValidation',
  'preHandler',
  'preSerialization',
  'onSend',
  'onError',
])

/**
 * Counts the hooks that are put on requests from now on. A plugin that sees each reply before it is sent must see all of
 * them; where there is none, a reply can go straight to the socket.
 */
export function countForeignHooks(fastify: FastifyInstance): ForeignHooks {
  const hooks = { count: 0 }
  const { addHook } = fastify
  // Instances within plugins inherit it, but what they are given concerns the routes of that plugin alone.
  const counting = new Proxy(addHook, {
    apply(target, instance, given: readonly unknown[]) {
      if (instance === fastify && requestHooks.has(String(given[0]))) hooks.count += 1
      return Reflect.apply(target, instance, given)
    },
  })
  Object.defineProperty(fastify, 'addHook', { value: counting, writable: true })
  return hooks
}
