import { DeviceCookies, LoginAttempts } from '../attempts/index.ts'
import type { AuditTrail } from '../audit/index.ts'
import { networkKey, type Secret } from '../base/index.ts'
import { deriveKey, type KeyPurpose, mac } from '../crypto/index.ts'
import type { Database, OwnedRows } from '../data/index.ts'
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
  type HashPlaces,
  type PasswordHashing,
  passwordHashing,
  passwordPolicy,
  settledCost,
  storedCost,
} from '../passwords/index.ts'
import {
  defaultSessionLimits,
  deviceName,
  loadRevocations,
  RefreshTokens,
  Sessions,
} from '../sessions/index.ts'
import type { Settings } from '../settings/index.ts'
import { SingleUseTokens } from '../single-use/index.ts'
import { accessSeconds, accessTokens, loadSigningKeys, skewSeconds } from '../tokens/index.ts'
import { type AccountsParts, compose } from '../users/index.ts'
import type { WorkerSeat } from '../workers/index.ts'
import { type AccountIdentity, accountIdentity } from './account-identity.ts'
import type { AccountsOptions, AppDeclaration } from './declaration.ts'
import { personalRows } from './personal-rows.ts'
import { startUpkeep } from './upkeep.ts'
import { hashPlacesOf, revocationsOf } from './worker-news.ts'

/** Accounts, running. */
export interface OpenAccounts {
  readonly parts: AccountsParts
  readonly identity: AccountIdentity
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
  readonly worker?: WorkerSeat | undefined
}

const defaultHashMs = 100

// Whoever writes somebody's address into a form again and again must not fill their mailbox; nor may whoever does so
// from one network use up the mails that the person needs.
const mailsPerNetwork = policyOf(per('hour', 5), { name: 'mail from network', group: 'mail' })
const mailsPerAddress = policyOf(per('hour', 20), { name: 'mail', group: 'mail' })

/** Opens accounts: keys, sessions, mail, hashing. @throws KeyFault when a signing key does not open */
export async function openAccounts(opening: AccountsOpening): Promise<OpenAccounts> {
  const { declaration, settings, database, rows, keyEncryption, limits, trail, logger, origin } = opening
  const { db } = database
  const failing = (doing: string) => (err: unknown) => logger.error({ err }, `${doing} has failed`)
  const keys = await loadSigningKeys(db, keyEncryption, { onFailure: failing('reading the signing keys') })
  const tokens = accessTokens(keys, { origin })
  const index = await loadRevocations({
    db,
    tokenMs: (accessSeconds + skewSeconds) * 1000,
    onFailure: failing('reading revocations'),
  })
  const revocations = revocationsOf(index, opening.worker)
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
    { ...options, mode: settings.mode, places: hashPlacesOf(opening.worker) },
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
    identity: accountIdentity(tokens, revocations),
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

type HashingChoices = AccountsOptions & Pick<Settings, 'mode'> & { readonly places: HashPlaces | undefined }

/** Hashing at the cost that was measured when the first password of all was hashed. */
async function openHashing(
  db: Database['db'],
  { hashMs, peppers, mode, places }: HashingChoices,
  onFailure: (error: unknown) => void,
): Promise<PasswordHashing> {
  // Tests hash at the floor unless they ask for more: they make many accounts.
  const targetMs = hashMs ?? (mode === 'test' ? 0 : defaultHashMs)
  if (targetMs === 0) return passwordHashing({ peppers, places })
  const cost = await storedCost(db, targetMs)
  if (cost !== null) return passwordHashing({ peppers, places, cost })
  const settle = { measure: () => settledCost(db, targetMs), onFailure }
  return passwordHashing({ peppers, places, settle })
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
