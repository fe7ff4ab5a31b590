import type { FastifyInstance, HTTPMethods } from 'fastify'
import { Problem } from '../errors/index.ts'

/** Tells what the registered routes offer at a target. */
export interface Offer {
  /** Methods of the routes that match, in a fixed order, without OPTIONS; empty when none does. */
  methodsAt(target: string): readonly string[]
  /** True for the methods that HTTP APIs commonly use. */
  knows(method: string): boolean
}

const commonMethods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/**
 * Makes the view on what is offered. It asks Fastify's own router, so that a 405 and a preflight can never differ
 * from where a request would really go: same decoding, same case, static segments before parameters.
 */
export function offerOf(fastify: FastifyInstance): Offer {
  const methods = (): readonly HTTPMethods[] => {
    const others = fastify.supportedMethods.filter(
      (name) => !commonMethods.includes(name) && name !== 'OPTIONS',
    )
    return [...commonMethods, ...others]
  }
  return {
    methodsAt: (target) => {
      // Null where no route matches, whatever the declared type says.
      const matches = (method: HTTPMethods): boolean =>
        Boolean(fastify.findRoute({ method, url: target, constraints: {} }))
      return methods().filter(matches)
    },
    knows: (method) => method === 'OPTIONS' || commonMethods.some((name) => name === method),
  }
}

/**
 * The problem of a request that no route takes: 501 for a method that nobody here knows, 405 with `Allow` where
 * other methods are offered, else 404.
 *
 * @see RFC 9110 §15.5.6, §9.1; OWASP ASVS 5.0 §4.1.4, §13.4.4
 */
export function notOffered(method: string, target: string, offer: Offer): Problem {
  const methods = offer.methodsAt(target)
  if (methods.length === 0) {
    return offer.knows(method)
      ? new Problem('NOT_FOUND', 'no route')
      : new Problem('NOT_IMPLEMENTED', 'unknown method')
  }
  if (!offer.knows(method) && !methods.includes(method))
    return new Problem('NOT_IMPLEMENTED', 'unknown method')
  return new Problem('METHOD_NOT_ALLOWED', 'no route for this method', {
    headers: { allow: allowOf(methods) },
  })
}

/** The field `Allow`: what the routes offer, and OPTIONS, which the edge answers. */
export function allowOf(methods: readonly string[]): string {
  return [...methods, 'OPTIONS'].join(', ')
}
