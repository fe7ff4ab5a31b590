import type { Peppers } from '../crypto/index.ts'
import type { Migration } from '../data/index.ts'
import type { DetectionOptions } from '../detection/index.ts'
import type { EdgeLimits, OptionalHeaders } from '../http/index.ts'
import type { KeyEncryption } from '../keys/index.ts'
import type { FieldStyle } from '../limits/index.ts'
import type { BreachSource } from '../passwords/index.ts'
import type { ResponseOptions } from '../responses/index.ts'
import type { Route, Vocabulary } from '../route/index.ts'
import type { Adoption, Plugin } from './adopt.ts'
import type { IdentitySource } from './identity-source.ts'

/** What an application does differently from the defaults. */
export interface AppChoices {
  /** What accounts do differently from their defaults. */
  readonly accounts?: AccountsOptions
  /** What wraps the keys of encrypted columns, such as a KMS; a key derived from HOLDFAST_SECRET unless given. */
  readonly keyEncryption?: KeyEncryption
  /** How long the audit trail is kept. */
  readonly audit?: AuditChoices
  /** What detectors and responses do differently from their defaults. `DETECTION` switches them off or to a dry run. */
  readonly detection?: DetectionChoices
  /** What the HTTP edge does differently from its defaults. */
  readonly http?: HttpOptions
}

/** An application, as its author declares it. */
export interface AppDeclaration extends AppChoices {
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
  /**
   * Where the caller's identity comes from, in the place of Holdfast's own accounts: the application then has none of
   * their routes.
   */
  readonly identity?: IdentitySource
}

/** Choices about the audit trail. */
export interface AuditChoices {
  /** After how many days events are removed, once they have been verified; 365 unless given, at least 1. */
  readonly retentionDays?: number
}

/**
 * Choices about detection; each has a safe default. Of `mode` here and `DETECTION` in the environment the more cautious
 * one holds.
 */
export interface DetectionChoices extends DetectionOptions {
  /** What is done about findings: for how long, how much, for which detector only written down. */
  readonly responses?: ResponseOptions
}

/** Choices about rate limits; each has a safe default. */
export interface RateLimitOptions {
  /** `ietf-and-legacy` for clients that still read `X-RateLimit-*`. */
  readonly fields?: FieldStyle
  /** How many keys each rule remembers on this node; 250,000 unless given. */
  readonly keyCount?: number
  /** How long a request waits for Redis, in milliseconds, before this node decides by itself; 25 unless given. */
  readonly redisTimeoutMs?: number
  /** How many nodes there are at least, for an outage of Redis that begins before they have seen each other; 1 unless given. */
  readonly leastNodeCount?: number
}

/** Choices about accounts; each has a safe default. */
export interface AccountsOptions {
  /** Words that a password must not be, beside the title and the host: what people call the site. */
  readonly siteNames?: readonly string[]
  /** How long hashing one password is meant to take here, in milliseconds; 100 unless given. */
  readonly hashMs?: number
  /** How long a session lives. */
  readonly sessions?: SessionLifetimes
  /** Where it is asked whether a password has been breached; nowhere unless given. */
  readonly breached?: BreachSource
  /** Keys that are hashed along with passwords; none unless given. At least 32 bytes each, kept apart from the database. */
  readonly peppers?: Peppers
  /** False for an application that brings its own pages under `/account`. */
  readonly pages?: boolean
}

/** How long sessions live. */
export interface SessionLifetimes {
  /** How long a session may rest, in milliseconds. */
  readonly idleMs?: number
  /** How long it lives however much it is used, in milliseconds. */
  readonly absoluteMs?: number
  /** How many an account may have; the one that has rested longest ends first. */
  readonly maxCount?: number
}

/** Choices about the HTTP edge; each has a safe default. */
export interface HttpOptions {
  /** Reply headers that are off unless asked for. */
  readonly headers?: OptionalHeaders
  /** Limits on sizes, counts and times that differ from the default. */
  readonly limits?: Partial<EdgeLimits>
  /** What rate limits do differently from their defaults; the classes themselves stand in `words()`. */
  readonly rateLimits?: RateLimitOptions
}
