import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { Guard, type GuardOptions } from './guard.ts'
import type { LimitSubject } from './limit.ts'
import type { Limiter } from './limiter.ts'

/** What the Fastify plugin is given. */
export interface FastifyLimitsOptions extends GuardOptions<FastifyRequest> {
  readonly limiter: Limiter
}

const limits: FastifyPluginAsync<FastifyLimitsOptions> = async (fastify, { limiter, ...options }) => {
  const guard = new Guard(limiter, options, ['route'])
  fastify.addHook('onRequest', async (request, reply) => {
    const verdict = await guard.admit({ request, own: ownOf(request), instance: request.id }, reply.raw)
    if (verdict === 'admitted') return
    if (verdict === 'gone') return reply.hijack()
    // As bytes: Fastify would add a charset to the type of a text.
    return reply.code(verdict.status).headers(verdict.fields).send(Buffer.from(verdict.text))
  })
}

function ownOf({ ip, method, routeOptions, params }: FastifyRequest): LimitSubject {
  return {
    // Fastify's own `trustProxy` decides whom to believe.
    address: ip ?? '',
    // The declared path, never the one that was asked for: of those a caller has as many as it likes.
    route: `${method} ${routeOptions.url ?? ''}`,
    params: typeof params === 'object' && params !== null ? { ...params } : {},
  }
}

/**
 * A plugin for Fastify 5: counts a request in `onRequest`, before its body is read, in the scope that registers it and
 * in those below, requests that find no route among them. Sets the RateLimit fields on the reply and refuses with 429;
 * what throws goes to the error handler.
 *
 * Register it first. Routes of the same scope are counted wherever they stand; a scope below that was registered earlier
 * has taken its hooks already and is not.
 *
 * The address is `request.ip`, so that Fastify's own `trustProxy` decides; `route` and `params` are known without a
 * `subject`.
 *
 * @example await fastify.register(fastifyLimits, { limiter: createLimiter(per('minute', 300)) })
 * @see OWASP ASVS 5.0 §2.4.1, §4.1.3
 */
export const fastifyLimits: FastifyPluginAsync<FastifyLimitsOptions> = Object.assign(limits, {
  // What fastify-plugin does, in two lines: no scope of its own, and not with another major version.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('plugin-meta')]: { name: 'holdfast-limits', fastify: '5.x' },
})
