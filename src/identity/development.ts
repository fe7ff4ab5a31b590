import { assert, type Secret } from '../base/index.ts'
import { equalConstantTime, mac, sha256 } from '../crypto/index.ts'
import type { Principal } from '../route/index.ts'
import { type Mode, SettingsFault } from '../settings/index.ts'
import { parseBearer } from './bearer.ts'
import type { Identify } from './identify.ts'

/** Somebody to be, on a development machine. */
export interface DevelopmentPerson {
  /** 1 to 32 lower-case letters, `a` to `z`. */
  readonly name: string
  /** Up to 16 roles, each a letter and up to 31 letters, digits, `_` or `-`. */
  readonly roles: readonly string[]
  /** The tenant: 1 to 36 lower-case letters, digits and hyphens; none unless given. */
  readonly tenantId?: string | undefined
}

const prefix = 'dev'
const namePattern = /^[a-z]{1,32}$/
const rolePattern = /^[A-Za-z][A-Za-z0-9_-]{0,31}$/
const tenantPattern = /^[a-z0-9-]{1,36}$/
const maxRoleCount = 16

/**
 * A token that makes its bearer this person. It does not end, so it is for development only; it is authenticated,
 * so that a development server which others can reach is still closed to them.
 *
 * @param key The key derived for `development-identity`.
 * @example developmentToken(key, { name: 'ada', roles: ['admin'] }) // 'dev.ada.admin.…'
 */
export function developmentToken(key: Secret<Buffer>, person: DevelopmentPerson): string {
  assert(
    isPerson(person),
    'a development person has a name of 1 to 32 letters a to z, plain role names and a plain tenant',
  )
  const tenant = person.tenantId === undefined ? '' : `.${person.tenantId}`
  const claim = `${prefix}.${person.name}.${person.roles.join('+')}${tenant}`
  return `${claim}.${mac(key, claim).toString('base64url')}`
}

/**
 * The identity check of a development machine: bearer tokens of {@link developmentToken}, nothing else.
 *
 * @param key The key derived for `development-identity`.
 * @throws SettingsFault in production: an application there must bring its own identity.
 * @see OWASP ASVS 5.0 §13.4.2, §15.2.3
 */
export function developmentIdentity(key: Secret<Buffer>, mode: Mode): Identify {
  if (mode === 'production') {
    const problem = 'is production, and the only identity is the one for development'
    throw new SettingsFault([
      { env: 'NODE_ENV', problem, fix: 'give createApp an identity, or run in development' },
    ])
  }
  return ({ authorization }) => {
    const token = parseBearer(authorization)
    return token === null ? null : verifyToken(key, token)
  }
}

/** The user id of a development person: the same on every machine, and no UUID that a server would make. */
export function developmentUserId(name: string): string {
  const bytes = sha256(`holdfast development person ${name}`)
  // RFC 9562 §5.8: version 8 is for ids of one's own making, so none of these meets a real account's.
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function verifyToken(key: Secret<Buffer>, token: string): Principal | null {
  // Only what the token claims is taken from it; the prefix and the tag are compared below with all the rest.
  const [, name, roleList, ...rest] = token.split('.')
  if (name === undefined || roleList === undefined || rest.length > 2) return null
  const tenantId = rest.length === 2 ? rest[0] : undefined
  const roles = roleList === '' ? [] : roleList.split('+')
  if (!isPerson({ name, roles, tenantId })) return null
  // Made again and compared whole, so that there is one spelling of each token.
  if (!equalConstantTime(token, developmentToken(key, { name, roles, tenantId }))) return null
  return { id: developmentUserId(name), roles, ...(tenantId === undefined ? {} : { tenantId }) }
}

function isPerson({ name, roles, tenantId }: DevelopmentPerson): boolean {
  const isPlain =
    namePattern.test(name) &&
    roles.every((role) => rolePattern.test(role)) &&
    (tenantId === undefined || tenantPattern.test(tenantId))
  return isPlain && roles.length <= maxRoleCount && new Set(roles).size === roles.length
}
