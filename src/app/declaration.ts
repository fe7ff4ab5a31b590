import type { Migration } from '../data/index.ts'
import type { EdgeLimits, OptionalHeaders } from '../http/index.ts'
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
  /** What the HTTP edge does differently from its defaults. */
  readonly http?: HttpOptions
}

/** Choices about the HTTP edge; each has a safe default. */
export interface HttpOptions {
  /** Reply headers that are off unless asked for. */
  readonly headers?: OptionalHeaders
  /** Limits on sizes, counts and times that differ from the default. */
  readonly limits?: Partial<EdgeLimits>
}
