import { Secret } from '../base/index.ts'
import { bad, good, type Parsed } from './setting.ts'

/** Where the data is. */
export type DatabaseTarget =
  | SqliteTarget
  | {
      readonly kind: 'postgres'
      /** The whole URL: it holds the password. */
      readonly url: Secret
    }

/** A SQLite database. */
export interface SqliteTarget {
  readonly kind: 'sqlite'
  /** The file, absolute, or `:memory:` for one that is gone when the process ends. */
  readonly path: string
}

/** The path that names no file: the database lives in memory. */
export const inMemory = ':memory:'

/** `sqlite:PATH` or a PostgreSQL URL. The path is as it was given. */
export function parseDatabase(text: string): Parsed<DatabaseTarget> {
  const fix = 'write sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE'
  if (text.startsWith('sqlite:')) {
    const path = text.slice('sqlite:'.length)
    if (path === '') return bad('names no file', 'write sqlite:PATH, such as sqlite:.data/app.sqlite')
    if (path.startsWith('//'))
      return bad('is a URL where a path is expected', 'write sqlite:PATH, with no //')
    return good({ kind: 'sqlite', path })
  }
  const url = urlWith(text, ['postgres:', 'postgresql:'])
  if (url === null || url.hostname === '' || url.pathname.length < 2) return bad('is no database URL', fix)
  return good({ kind: 'postgres', url: new Secret(text) })
}

/** A Redis URL, `rediss` for TLS. */
export function parseRedis(text: string): Parsed<Secret> {
  const url = urlWith(text, ['redis:', 'rediss:'])
  if (url === null || url.hostname === '' || !/^\/?\d{0,4}$/.test(url.pathname))
    return bad('is no Redis URL', 'write redis://HOST:PORT, or rediss:// for TLS')
  if (url.searchParams.get('cluster') === 'true' && Number(url.pathname.slice(1)) > 0)
    return bad('names a database of a cluster, which has one alone', 'leave the number behind the host out')
  return good(new Secret(text))
}

/** A mail server, `smtps` for TLS from the first byte. */
export function parseSmtp(text: string): Parsed<Secret> {
  const url = urlWith(text, ['smtp:', 'smtps:'])
  return url === null || url.hostname === ''
    ? bad('is no mail server URL', 'write smtps://USER:PASSWORD@HOST:PORT, or smtp:// for STARTTLS')
    : good(new Secret(text))
}

const addressPattern = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,8}$/
const senderPattern = /^(?<name>[^<>"@,;:\\]{1,64}) <(?<address>[^<>]+)>$/

/** The sender: an address, or `Name <address>`. Control characters were refused before. */
export function parseSender(text: string): Parsed<string> {
  const address = senderPattern.exec(text)?.groups?.['address'] ?? text
  return text.length <= 320 && addressPattern.test(address)
    ? good(text)
    : bad('is no sender', 'write an address, such as Notes <no-reply@example.com>')
}

/** One mail address. */
export function parseMailbox(text: string): Parsed<string> {
  return text.length <= 254 && addressPattern.test(text)
    ? good(text)
    : bad('is no mail address', 'write one such as ops@example.com')
}

function urlWith(text: string, protocols: readonly string[]): URL | null {
  const url = URL.parse(text)
  return url !== null && protocols.includes(url.protocol) && url.hash === '' ? url : null
}
