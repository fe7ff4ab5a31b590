import { deviceName } from './device-name.ts'

/** Why a session, or tokens, have ended. */
export type RevocationCause =
  | 'logout'
  | 'logout-everywhere'
  | 'password-changed'
  | 'password-reset'
  | 'email-changed'
  | 'roles-changed'
  | 'disabled'
  | 'deleted'
  | 'administrator'
  | 'detector'
  | 'token-reused'
  | 'too-many-sessions'

/** How a client keeps its tokens. */
export type Transport = 'bearer' | 'cookie'

/** A session. Times are ISO 8601 in UTC with milliseconds. */
export interface SessionRecord {
  readonly id: string
  readonly userId: string
  readonly transport: Transport
  /** How its user proved who they are. @see RFC 8176 */
  readonly amr: readonly string[]
  /** When that was, in seconds since 1970. */
  readonly authTimeSeconds: number
  /** The device it began on, where that is known by a cookie. */
  readonly deviceId: string | null
  /** "Firefox on Linux" */
  readonly device: string
  /** The address of its newest refresh. */
  readonly address: string
  readonly createdAt: string
  readonly lastSeenAt: string
  /** When it ends unless it is refreshed. */
  readonly idleUntil: string
  /** When it ends in any case. */
  readonly expiresAt: string
}

/** How long sessions live. */
export interface SessionLimits {
  /** How long one may rest, in milliseconds. */
  readonly idleMs: number
  /** How long one lives however much it is used, in milliseconds. */
  readonly absoluteMs: number
  /** How many an account may have. */
  readonly maxCount: number
  /** How long two refreshes with one token count as one, in milliseconds: a double click, a lost reply. */
  readonly graceMs: number
}

const dayMs = 86_400_000

/**
 * The limits unless an application chooses others. NIST asks for at most 30 days without a second factor; the access
 * token, which is what a thief would rather have, lives ten minutes.
 *
 * @see NIST SP 800-63B-4 §2.1.3 (AAL1: overall at most 30 days); OWASP ASVS 5.0 §7.1.1, §7.3.1, §7.3.2
 */
export const defaultSessionLimits: SessionLimits = {
  idleMs: 7 * dayMs,
  absoluteMs: 30 * dayMs,
  maxCount: 20,
  graceMs: 10_000,
}

/** A row of the table, as far as it is a session's own business. */
export interface SessionRow {
  readonly session: SessionRecord
  readonly generation: number
  readonly tokenHash: string
  readonly salt: string
  readonly rotatedAtMs: number
  readonly endedAt: string | null
}

/** Reads a row. */
export function sessionRow(row: Readonly<Record<string, string | number | null>>): SessionRow {
  const methods: unknown = JSON.parse(String(row['methods']))
  return {
    session: {
      id: String(row['id']),
      userId: String(row['userId']),
      transport: row['transport'] === 'cookie' ? 'cookie' : 'bearer',
      amr: Array.isArray(methods) ? methods.map(String) : [],
      authTimeSeconds: Number(row['authTimeSeconds']),
      deviceId: typeof row['deviceId'] === 'string' ? row['deviceId'] : null,
      device: deviceName(String(row['userAgent'])),
      address: String(row['address']),
      createdAt: String(row['createdAt']),
      lastSeenAt: String(row['lastSeenAt']),
      idleUntil: String(row['idleUntil']),
      expiresAt: String(row['expiresAt']),
    },
    generation: Number(row['generation']),
    tokenHash: String(row['tokenHash']),
    salt: String(row['salt']),
    rotatedAtMs: Date.parse(String(row['rotatedAt'])),
    endedAt: typeof row['endedAt'] === 'string' ? row['endedAt'] : null,
  }
}
