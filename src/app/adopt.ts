import type { FastifyInstance, FastifyPluginOptions } from 'fastify'
import { type Access, type LimitClass, type Place, placeAbove } from '../route/index.ts'

/** A Fastify plugin, in either of its forms: it returns a promise, or calls `done`. */
export type Plugin = (
  fastify: FastifyInstance,
  options: FastifyPluginOptions,
  done: (error?: Error) => void,
) => void | Promise<void>

/** A plugin whose routes have been given their access and limit. */
export interface Adoption {
  readonly reason: string
  readonly plugin: Plugin
  readonly access: Access<unknown>
  readonly limit: string | LimitClass
  readonly place: Place
}

/** What the adopted routes share. */
export interface AdoptionTerms {
  /** Who may call them; `owns` is not possible, because a plugin does not query through the row rules. */
  readonly access: Access<unknown>
  /** The name of their limit class, or one for them alone. */
  readonly limit: string | LimitClass
}

const adoptions = new WeakSet<object>()

/**
 * Lets a Fastify plugin bring routes: it says why, who may call them and how often. Without it the boot gate
 * refuses every route of a plugin. Their input and output stay the plugin's own affair and are not checked.
 *
 * @param reason What the plugin is for; listed for the reviewer.
 * @example plugins: [adopt('Serves the landing page.', fastifyStatic, { access: open('A public page.'), limit: 'read' })]
 */
export function adopt(reason: string, plugin: Plugin, terms: AdoptionTerms): Adoption {
  const adoption: Adoption = { reason, plugin, ...terms, place: placeAbove(adopt) }
  adoptions.add(adoption)
  return adoption
}

/** True for a value that {@link adopt} made. */
export function isAdoption(value: Adoption | Plugin): value is Adoption {
  return adoptions.has(value)
}
