import { rules } from './peers/shared.ts'

// The peers that are compared, and what is expected of each.

/** One row of the table. */
export interface Peer {
  readonly name: string
  /** What it is, for whoever reads the table. */
  readonly title: string
  /** Under `bench/peers`. */
  readonly file: string
  /** What is read: the item from memory, or the note from SQLite. */
  readonly reads: 'read' | 'note'
  /** The controls it has, and must show before it is timed; `null` for none. */
  readonly controls: Controls | null
  readonly environment?: Readonly<Record<string, string>>
}

/** The controls that not every stack offers. */
export interface Controls {
  /** Refuses a Host that is not served. */
  readonly checksHost: boolean
  /** Takes a token back before it expires. */
  readonly revokes: boolean
}

const usual: Controls = { checksHost: false, revokes: false }
const all: Controls = { checksHost: true, revokes: true }
const production = { NODE_ENV: 'production' }
// In development only because production demands a certificate and a mail server; no request is treated differently.
const development = { LOG_LEVEL: 'info', ALLOWED_ORIGINS: rules.allowedOrigin }

/** Every peer, in the order of the table. */
export const peers: readonly Peer[] = [
  {
    ...{ name: 'node-http', title: 'node:http, no controls', file: 'node-http.ts' },
    ...{ reads: 'read', controls: null, environment: production },
  },
  {
    ...{ name: 'fastify-bare', title: 'Fastify, no controls', file: 'fastify-bare.ts' },
    ...{ reads: 'read', controls: null, environment: production },
  },
  {
    ...{ name: 'minimal', title: 'all controls by hand', file: 'minimal.ts' },
    ...{ reads: 'read', controls: all, environment: production },
  },
  {
    ...{ name: 'holdfast', title: 'Holdfast', file: 'holdfast.ts' },
    ...{ reads: 'read', controls: all, environment: development },
  },
  {
    ...{ name: 'fastify-plugins', title: 'Fastify, official plugins', file: 'fastify-plugins.ts' },
    ...{ reads: 'read', controls: usual, environment: production },
  },
  {
    ...{ name: 'fastify-plugins-hs256', title: 'the same, HS256', file: 'fastify-plugins.ts' },
    ...{ reads: 'read', controls: usual, environment: { ...production, BENCH_TOKENS: 'HS256' } },
  },
  {
    ...{ name: 'express', title: 'Express 5, the usual stack', file: 'express.ts' },
    ...{ reads: 'read', controls: usual, environment: production },
  },
  {
    ...{ name: 'nest', title: 'Nest on Fastify', file: 'nest.ts' },
    ...{ reads: 'read', controls: usual, environment: production },
  },
  {
    ...{ name: 'fastify-bare-sqlite', title: 'Fastify, no controls, SQLite', file: 'fastify-bare.ts' },
    ...{ reads: 'note', controls: null, environment: production },
  },
  {
    ...{ name: 'holdfast-sqlite', title: 'Holdfast, SQLite', file: 'holdfast.ts' },
    ...{ reads: 'note', controls: all, environment: development },
  },
]
