import type { MigrationDatabase } from '../data/index.ts'
import type { SessionRecord } from '../sessions/index.ts'
import type { Account } from './account.ts'
import type { AccountsParts, From } from './parts.ts'

/** How a client keeps its tokens: in its own hands, or in cookies that its pages cannot read. */
export type Transport = 'bearer' | 'cookie'

/** Somebody who has proved who they are, or whose session goes on. */
export interface SignedIn {
  readonly accessToken: string
  readonly expiresInSeconds: number
  readonly refreshToken: string
  /** When the refresh token ends if it is not used, in seconds from now. */
  readonly refreshSeconds: number
  readonly transport: Transport
  /** A device cookie to set; `undefined` where the client has a good one. */
  readonly device: string | undefined
}

/** How somebody has proved who they are. */
export interface Proof {
  readonly transport: Transport
  /** RFC 8176 §2. */
  readonly methods: readonly string[]
  /** The device that they are known by; `null` for none. */
  readonly deviceId: string | null
}

/** Opens a session, in the transaction of whatever lets it be. Its id is new: none is ever taken over. */
export async function openSession(
  { sessions, nowMs }: AccountsParts,
  db: MigrationDatabase,
  account: Account,
  { transport, methods, deviceId }: Proof,
  { address, userAgent }: From,
): Promise<{ session: SessionRecord; refreshToken: string }> {
  return await sessions.open(db, {
    userId: account.id,
    transport,
    amr: methods,
    authTimeSeconds: Math.floor(nowMs() / 1000),
    address,
    userAgent,
    deviceId,
  })
}

/** The tokens of a session, for an account as it is now. */
export function tokensOf(
  { tokens, nowMs }: AccountsParts,
  account: Account,
  { session, refreshToken }: { readonly session: SessionRecord; readonly refreshToken: string },
  device?: string,
): SignedIn {
  const { token, expiresInSeconds } = tokens.sign({
    sub: account.id,
    sid: session.id,
    ver: account.version,
    roles: account.roles,
    amr: session.amr,
    authTimeSeconds: session.authTimeSeconds,
  })
  const end = Math.min(Date.parse(session.idleUntil), Date.parse(session.expiresAt))
  return {
    accessToken: token,
    expiresInSeconds,
    refreshToken,
    refreshSeconds: Math.max(0, Math.floor((end - nowMs()) / 1000)),
    transport: session.transport,
    device,
  }
}
