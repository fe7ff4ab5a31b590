import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import type { Secret } from '../../base/index.ts'
import { sha256 } from '../../crypto/index.ts'
import { DatabaseFault } from '../fault.ts'

/** Where a PostgreSQL server is and who we are there, as `pg` takes it. */
export interface PostgresTarget {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string | undefined
  readonly database: string
  /** `false` for a connection in the clear. */
  readonly ssl: false | ConnectionOptions
}

const defaultPort = 5432
const known: ReadonlySet<string> = new Set(['sslmode', 'sslrootcert', 'host'])

/**
 * Reads a PostgreSQL URL. To a host that is not this machine the connection is encrypted and the certificate is
 * verified, whatever is left out: `sslmode=require` elsewhere means encrypted to whoever answers.
 *
 * `sslmode=disable` and `sslmode=no-verify` are decisions and are followed. `sslrootcert` names a file with the
 * certificate of the authority to trust. `host` may name the folder of a socket.
 *
 * @throws DatabaseFault for what cannot be understood; no message holds the URL.
 * @see OWASP ASVS 5.0 §12.3.1, §12.3.2
 */
export function readTarget(url: Secret): PostgresTarget {
  const parsed = URL.parse(url.reveal())
  if (parsed === null || !isDecodable(parsed)) throw fault('is no URL')
  const options = parsed.searchParams
  for (const name of options.keys()) {
    if (!known.has(name))
      throw fault(`has a parameter that is not known here; there are ${[...known].join(', ')}`)
  }
  const host = options.get('host') ?? decodeURIComponent(parsed.hostname).replace(/^\[(.*)\]$/, '$1')
  return {
    host,
    port: parsed.port === '' ? defaultPort : Number(parsed.port),
    user: decodeURIComponent(parsed.username) || 'postgres',
    password: parsed.password === '' ? undefined : decodeURIComponent(parsed.password),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    ssl: sslOf(host, options),
  }
}

/** Whether every `%` stands for a byte, and the bytes for text. */
function isDecodable({ hostname, username, password, pathname }: URL): boolean {
  try {
    decodeURIComponent(hostname + username + password + pathname)
    return true
  } catch {
    return false
  }
}

const modes: ReadonlySet<string> = new Set([
  'disable',
  'no-verify',
  'prefer',
  'allow',
  'require',
  'verify-ca',
  'verify-full',
])

function sslOf(host: string, options: URLSearchParams): false | ConnectionOptions {
  const mode = options.get('sslmode')
  if (mode !== null && !modes.has(mode))
    throw fault(`has an sslmode that is none of ${[...modes].join(', ')}`)
  const authority = options.get('sslrootcert')
  if (mode === 'disable') return false
  if (isHere(host) && mode === null && authority === null) return false
  if (mode === 'no-verify') return { rejectUnauthorized: false }
  return { rejectUnauthorized: true, ...(authority === null ? {} : { ca: readAuthority(authority) }) }
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw fault('names an sslrootcert that cannot be read', error)
  }
}

/** True for this machine: a socket, or a loopback address. */
export function isHere(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function fault(what: string, cause?: unknown): DatabaseFault {
  return new DatabaseFault(
    `DATABASE_URL ${what}. Write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with ?sslmode=verify-full or ?sslrootcert=FILE as needed.`,
    cause,
  )
}

/**
 * The name of the role that requests run as. Roles belong to the whole server, so it has the database in its name: a
 * role of one application must not open the database of another.
 */
export function appRoleOf(url: Secret): string {
  const { database } = readTarget(url)
  const plain = database.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')
  // PostgreSQL cuts names at 63 bytes.
  if (plain === database && database.length <= 40) return `holdfast_app_${plain}`
  return `holdfast_app_${plain.slice(0, 30)}_${sha256(database).toString('hex').slice(0, 10)}`
}
