import { DeviceCookies, LoginAttempts } from '../attempts/index.ts'
import type { AuditTrail } from '../audit/index.ts'
import { networkKey, type Secret } from '../base/index.ts'
import { deriveKey, type KeyPurpose, mac } from '../crypto/index.ts'
import type { Database, OwnedRows } from '../data/index.ts'

import { cookieIn } from '../http/index.ts'
import { type Identify, parseBearer } from '../identity/index.ts'
import type { KeyEncryption } from '../keys/index.ts'
import { type LimitStore, monotonicMs, per, policyOf } from '../limits/index.ts'
import {
  folderTransport,
  type MailTransport,
  mailOutbox,
  type Outbox,
  render,
  smtpTransport,
} from '../mail/index.ts'
import type { Logger } from '../observe/index.ts'
import {
  type PasswordHashing,
  passwordHashing,
  passwordPolicy,
  settledCost,
  storedCost,
} from '../passwords/index.ts'
import type { Principal } from '../route/index.ts'
import {
  defaultSessionLimits,
  deviceName,
  loadRevocations,
  RefreshTokens,
  type RevocationIndex,
  Sessions,
} from '../sessions/index.ts'
import type { Settings } from '../settings/index.ts'
import { SingleUseTokens } from '../single-use/index.ts'
import {
  type AccessClaims,
  type AccessTokens,
  accessSeconds,
  accessTokens,
  loadSigningKeys,
  skewSeconds,
} from '../tokens/index.ts'
import { type AccountsParts, compose } from '../users/index.ts'
import type { AccountsOptions, AppDeclaration } from './declaration.ts'
import { personalRows } from './personal-rows.ts'
import { startUpkeep } from './upkeep.ts'

/** Accounts, running. */
export interface OpenAccounts {
  readonly parts: AccountsParts
  readonly identify: Identify
  close(): Promise<void>
}

/** What accounts are opened with. */
export interface AccountsOpening {
  readonly declaration: AppDeclaration
  readonly settings: Settings
  readonly database: Database
  readonly rows: OwnedRows
  readonly keyEncryption: KeyEncryption
  readonly limits: LimitStore
  readonly trail: AuditTrail
  readonly logger: Logger
  readonly origin: () => string
}

const defaultHashMs = 100

// Whoever writes somebody's address into a form again and again must not fill their mailbox; nor may whoever does so
// from one network use up the mails that the person needs.
const mailsPerNetwork = policyOf(per('hour', 5), { name: 'mail from network', group: 'mail' })
const mailsPerAddress = policyOf(per('hour', 20), { name: 'mail', group: 'mail' })

/**
 * The identity of accounts: a bearer token, or the cookie where there is no Authorization field at all. A field that
 * holds anything else is no credential, and the cookie does not stand in for it: the cross-site gate has not looked
 * at a request that claims to bring a token of its own.
 */
export function accountIdentity(tokens: AccessTokens, revocations: RevocationIndex): Identify {
  return ({ authorization, cookie }) => {
    const transport = authorization === undefined ? 'cookie' : 'bearer'
    const token = transport === 'bearer' ? parseBearer(authorization) : cookieIn(cookie, '__Host-access')
    if (token === null || token === undefined) return null
    const claims = tokens.verify(token)
    if (claims === null) return null
    const isLive = revocations.isLive(claims)
    if (typeof isLive === 'boolean') return isLive ? principalOf(claims, transport) : null
    return isLive.then((live) => (live ? principalOf(claims, transport) : null))
  }
}

function principalOf(claims: AccessClaims, transport: 'bearer' | 'cookie'): Principal {
  return {
    id: claims.sub,
    roles: claims.roles,
    session: { id: claims.sid, authTimeSeconds: claims.auth_time, methods: claims.amr, transport },
  }
}

/** Opens accounts: keys, sessions, mail, hashing. @throws KeyFault when a signing key does not open */
export async function openAccounts(opening: AccountsOpening): Promise<OpenAccounts> {
  const { declaration, settings, database, rows, keyEncryption, limits, trail, logger, origin } = opening
  const { db } = database
  const failing = (doing: string) => (err: unknown) => logger.error({ err }, `${doing} has failed`)
  const keys = await loadSigningKeys(db, keyEncryption, { onFailure: failing('reading the signing keys') })
  const tokens = accessTokens(keys, { origin })
  const revocations = await loadRevocations({
    db,
    tokenMs: (accessSeconds + skewSeconds) * 1000,
    onFailure: failing('reading revocations'),
  })
  const singleUse = new SingleUseTokens({
    nameKey: deriveKey(settings.secret, 'single-use-name'),
    sealKey: deriveKey(settings.secret, 'single-use-data'),
  })
  const { title: siteName, accounts: options = {} } = declaration
  const policy = passwordPolicy({
    siteNames: [siteName, new URL(settings.publicOrigin).hostname, ...(options.siteNames ?? [])],
    breached: options.breached,
  })
  const hashing = await openHashing(
    db,
    { ...options, mode: settings.mode },
    failing('measuring the cost of hashing'),
  )
  const outbox = openOutbox(opening, singleUse, failing('a mail'))
  const sessions = new Sessions({
    db,
    refreshTokens: new RefreshTokens(keysFor(settings, 'refresh-token')),
    limits: { ...defaultSessionLimits, ...options.sessions },
  })
  const upkeep = startUpkeep(
    [() => sessions.clean(), () => singleUse.clean(db)],
    failing('forgetting what is long over'),
  )
  const devices = new DeviceCookies(keysFor(settings, 'device-cookie'))
  const parts: AccountsParts = {
    db,
    hashing,
    policy,
    singleUse,
    outbox,
    attempts: new LoginAttempts({ db, key: deriveKey(settings.secret, 'login-attempts'), devices, limits }),
    devices,
    sessions,
    revocations,
    tokens,
    roles: declaration.vocabulary.roles,
    rows: personalRows(rows, declaration.vocabulary.resources),
    mayMail: (email, address) => mayMail(limits, email, address),
    trail,
    pseudonymOf: pseudonymsWith(deriveKey(settings.secret, 'event-pseudonym')),
    nowMs: Date.now,
  }
  return {
    parts,
    identify: accountIdentity(tokens, revocations),
    async close() {
      keys.close()
      hashing.close()
      await upkeep.stop()
      await outbox.close()
      await revocations.close()
    },
  }
}

function openOutbox(
  { declaration, settings, database: { db }, origin }: AccountsOpening,
  singleUse: SingleUseTokens,
  onFailure: (error: unknown) => void,
): Outbox {
  return mailOutbox({
    db,
    keys: keysFor(settings, 'mail-outbox'),
    compose: (intent) => compose({ db, singleUse, origin, deviceName }, intent),
    render: (letter) => render(letter, { siteName: declaration.title, origin: origin() }),
    transport: transportOf(settings),
    onFailure,
  })
}

/** Hashing at the cost that was measured when the first password of all was hashed. */
async function openHashing(
  db: Database['db'],
  { hashMs, peppers, mode }: AccountsOptions & Pick<Settings, 'mode'>,
  onFailure: (error: unknown) => void,
): Promise<PasswordHashing> {
  // Tests hash at the floor unless they ask for more: they make many accounts.
  const targetMs = hashMs ?? (mode === 'test' ? 0 : defaultHashMs)
  if (targetMs === 0) return passwordHashing({ peppers })
  const cost = await storedCost(db, targetMs)
  if (cost !== null) return passwordHashing({ peppers, cost })
  return passwordHashing({ peppers, settle: { measure: () => settledCost(db, targetMs), onFailure } })
}

/** Names for addresses in events: short, the same for the same address, and no way back. */
export function pseudonymsWith(key: Secret<Buffer>): (email: string) => string {
  return (email) => mac(key, Buffer.from(email)).toString('base64url').slice(0, 16)
}

/** The key for a purpose, and the one of the root secret before while it is being replaced. */
function keysFor(
  { secret, previousSecret }: Settings,
  purpose: KeyPurpose,
): [Secret<Buffer>, ...Secret<Buffer>[]] {
  const current = deriveKey(secret, purpose)
  return previousSecret === null ? [current] : [current, deriveKey(previousSecret, purpose)]
}

function transportOf({ mail, mode }: Settings): MailTransport {
  if (mail.kind === 'smtp') return smtpTransport(mail.url, mail.from)
  return folderTransport(mail.dir, (line) => {
    // A developer follows the link from the terminal; a test reads the file.
    if (mode === 'development') process.stdout.write(`  ${line}\n`)
  })
}

async function mayMail(limits: LimitStore, email: string, address: string): Promise<boolean> {
  const checks = [
    { policy: mailsPerNetwork, key: `email:${email} ${networkKey(address)}` },
    { policy: mailsPerAddress, key: `email:${email}` },
  ]
  return (await limits.consume(checks, monotonicMs())).allowed
}
