import type { Migration } from '../data/index.ts'
import type { Route, Vocabulary } from '../route/index.ts'
import type { Adoption, Plugin } from './adopt.ts'
import type { IdentitySource } from './identity-source.ts'

/** An application, as its author declares it. */
export interface AppDeclaration {
  /** The name of the API, for its reference. */
  readonly title: string
  /** The version of the API, for its reference; `0.0.0` unless given. */
  readonly version?: string
  /** The application's words: `words(…).vocabulary`. */
  readonly vocabulary: Vocabulary
  /** Every route. */
  readonly routes: readonly Route[]
  /** The application's migrations, oldest first. */
  readonly migrations?: readonly Migration[]
  /** Fastify plugins; one that brings routes must be adopted. */
  readonly plugins?: readonly (Adoption | Plugin)[]
  /** Where the caller's identity comes from; outside production a test identity unless given. */
  readonly identity?: IdentitySource
}
