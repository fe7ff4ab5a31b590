import { type Attempt, attemptsMigration, DeviceCookies, LoginAttempts } from '../../src/attempts/index.ts'
import { deriveKey } from '../../src/crypto/index.ts'
import { type MigrationDatabase, migrateUp } from '../../src/data/index.ts'
import { Problem } from '../../src/errors/index.ts'
import { memoryStore } from '../../src/limits/index.ts'
import { type EngineKind, freshDatabase } from './databases.ts'
import { rootSecret } from './signing.ts'

/** Limits on attempts over an empty database, with a clock that is set by hand. */
export interface AttemptsWorld {
  readonly db: MigrationDatabase
  readonly clock: { nowMs: number }
  readonly devices: DeviceCookies
  readonly attempts: LoginAttempts
  /** Another process on the same database: its limits by address are its own. */
  readonly node: () => LoginAttempts
  drop(): Promise<void>
}

/** Makes one. @param rowCount How many counters are kept. */
export async function attemptsWorld(engine: EngineKind, rowCount?: number): Promise<AttemptsWorld> {
  const { database, drop } = await freshDatabase(engine)
  await migrateUp(database, { migrations: [attemptsMigration], table: 'holdfast_own_migrations' })
  const { db } = database
  const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z') }
  const nowMs = (): number => clock.nowMs
  const devices = new DeviceCookies([deriveKey(rootSecret(1), 'device-cookie')], nowMs)
  const key = deriveKey(rootSecret(1), 'login-attempts')
  const size = rowCount === undefined ? {} : { rowCount }
  const node = () => new LoginAttempts({ db, key, devices, limits: memoryStore(), nowMs, ...size })
  return { db, clock, devices, attempts: node(), node, drop }
}

let addressCount = 0

/**
 * Tries a password, from an address that has tried nothing yet unless one is given.
 *
 * @returns the seconds to wait when it is refused
 */
export async function tried(
  attempts: LoginAttempts,
  account: string,
  more: { readonly device?: string; readonly address?: string } = {},
): Promise<Attempt | number> {
  addressCount += 1
  const address =
    more.address ?? `10.${addressCount >> 16}.${(addressCount >> 8) & 255}.${addressCount & 255}`
  try {
    return await attempts.begin({ account, address, device: more.device })
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'QUOTA_EXCEEDED') throw error
    return Number(error.headers['retry-after'])
  }
}

/** Tries a password that must be let through. */
export async function admitted(...request: Parameters<typeof tried>): Promise<Attempt> {
  const attempt = await tried(...request)
  if (typeof attempt === 'number') throw new Error(`refused for ${attempt} seconds`)
  return attempt
}
