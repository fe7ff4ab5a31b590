import { createHmac, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { Server } from 'node:http'

// What all peers have in common: the rows, the tokens, and how a peer tells the bench where it is.

/** Whose items are read. */
export const ownerId = '0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e4f'
const otherId = '0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e50'

/** A row as it lies in memory. `secret` is declared nowhere, so no answer may hold it. */
export interface Item {
  readonly id: string
  readonly ownerId: string
  readonly title: string
  readonly body: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly secret: string
}

/** The path of the item that is read by its owner, and of one that belongs to somebody else. */
export const paths = {
  read: '/api/items/0199f3b2-7c1e-7000-8000-000000000001',
  foreign: '/api/items/0199f3b2-7c1e-7000-8000-000000000002',
} as const

/** A hundred items of the reader and one of somebody else. */
export function itemsOf(readerId: string): ReadonlyMap<string, Item> {
  const numbers = Array.from({ length: 101 }, (_, index) => index + 1)
  return new Map(numbers.map((number) => rowOf(number, number === 2 ? otherId : readerId)))
}

function rowOf(number: number, rowOwnerId: string): [string, Item] {
  const id = `0199f3b2-7c1e-7000-8000-${String(number).padStart(12, '0')}`
  const at = '2026-01-02T03:04:05.678Z'
  const body = 'Bread, tea, lemons, and what else is written on the list at the door of the kitchen. '.repeat(
    2,
  )
  return [
    id,
    {
      ...{ id, ownerId: rowOwnerId, title: 'Shopping', body: `${body}Nothing more than that.` },
      ...{ createdAt: at, updatedAt: at, secret: 'never shown' },
    },
  ]
}

/** What holds for every peer. */
export const rules = {
  /** How often one address and one account may ask: more than a bench reaches, or what a check asks for. */
  limitPerMinute: Number(process.env['BENCH_LIMIT'] ?? 1_000_000_000),
  /** The origin whose pages may read answers. */
  allowedOrigin: 'https://app.example.com',
  /** Who signs tokens, and for whom. */
  issuer: 'https://bench.example.com',
} as const

/** The keys of a peer. Each process has its own. */
export interface TokenKeys {
  /** For libraries that know Ed25519. */
  readonly ed25519: { readonly publicKey: KeyObject; readonly publicPem: string; readonly privatePem: string }
  /** For libraries that do not. */
  readonly hs256: string
}

const pair = generateKeyPairSync('ed25519')
const sharedSecret = randomBytes(32).toString('base64url')

/** The keys by which this process knows a token. */
export const keys: TokenKeys = {
  ed25519: {
    publicKey: pair.publicKey,
    publicPem: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privatePem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  },
  hs256: sharedSecret,
}

type Algorithm = 'EdDSA' | 'HS256'

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** The session whose tokens were taken back. */
export const revokedSession = 'session-2'

interface TokenChoice {
  readonly expiresInSeconds?: number
  readonly session?: string
  /** By whom, if not by this process. */
  readonly signer?: { readonly privateKey: KeyObject; readonly secret: string }
}

/** A token as an identity provider would make it. */
function tokenOf(algorithm: Algorithm, choice: TokenChoice = {}): string {
  const { expiresInSeconds = 3_600, session = 'session-1' } = choice
  const { privateKey, secret } = choice.signer ?? { privateKey: pair.privateKey, secret: sharedSecret }
  const nowSeconds = Math.floor(Date.now() / 1_000)
  const claims = {
    ...{
      iss: rules.issuer,
      aud: rules.issuer,
      sub: ownerId,
      sid: session,
      jti: randomBytes(16).toString('hex'),
    },
    ...{ iat: nowSeconds - 3_600, exp: nowSeconds + expiresInSeconds, roles: ['user'] },
  }
  const signed = `${base64url({ alg: algorithm, typ: 'JWT' })}.${base64url(claims)}`
  const signature =
    algorithm === 'EdDSA'
      ? sign(null, Buffer.from(signed), privateKey)
      : createHmac('sha256', secret).update(signed).digest()
  return `${signed}.${signature.toString('base64url')}`
}

/** Tokens of every kind that the checks send. */
export interface Tokens {
  readonly good: string
  readonly expired: string
  /** Well made, by somebody else. */
  readonly forged: string
  /** Good until it was taken back; sent only to peers that can. */
  readonly revoked: string
}

/** Tokens that this process takes and does not take. */
export function tokensFor(algorithm: Algorithm): Tokens {
  const { privateKey } = generateKeyPairSync('ed25519')
  return {
    good: tokenOf(algorithm),
    expired: tokenOf(algorithm, { expiresInSeconds: -600 }),
    forged: tokenOf(algorithm, { signer: { privateKey, secret: randomBytes(32).toString('base64url') } }),
    revoked: tokenOf(algorithm, { session: revokedSession }),
  }
}

/** Tells the bench that the server is ready. On standard error, because standard output is its log. */
export function introduce(
  address: string,
  tokens: Tokens,
  also: Readonly<Record<string, string>> = {},
): void {
  process.stderr.write(`ready ${JSON.stringify({ address, tokens, paths: { ...paths, ...also } })}\n`)
}

/** Ends the process when the bench asks for it, or is gone. */
export function stopWith(close: () => unknown): void {
  process.once('SIGTERM', () => void Promise.resolve(close()).then(() => process.exit(0)))
  process.once('disconnect', () => process.exit(0))
}

/** The same three steps for each server that is Node's own. */
export function serve(server: Server, algorithm: Algorithm, onListening?: (host: string) => void): void {
  server.keepAliveTimeout = 65_000
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('it listens on a port')
    const host = `127.0.0.1:${address.port}`
    onListening?.(host)
    introduce(`http://${host}`, tokensFor(algorithm))
  })
  stopWith(() => {
    server.closeAllConnections()
    server.close()
  })
}
