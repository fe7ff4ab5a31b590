import type { Secret } from '../base/index.ts'
import { alertSettings } from './alert-table.ts'
import { parseAllowedRange, parseHost, parseOrigin, parsePort, parseProxyRange } from './network.ts'
import { parseSecret } from './root-secret.ts'
import { type Fallback, good, listOf, oneOf, type Setting } from './setting.ts'
import { type DatabaseTarget, parseDatabase, parseRedis, parseSender, parseSmtp } from './targets.ts'

/** How the server runs. It decides what must be set, and nothing that a client can see. */
export type Mode = 'development' | 'test' | 'production'

/** From which level on a log line is written. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'

const modes: readonly Mode[] = ['development', 'test', 'production']
const logLevels: readonly LogLevel[] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace']
const none: Fallback = { kind: 'rule', says: 'none' }
const path = { unit: 'path', parse: good<string> } as const

export const nodeEnv: Setting<Mode> = {
  name: 'mode',
  env: 'NODE_ENV',
  fallback: { kind: 'text', text: 'development' },
  unit: 'word',
  range: modes.join(', '),
  neededInProduction: false,
  help: 'How the server runs. Decided first, and never by `.env`.',
  parse: oneOf(modes),
}

export const host: Setting<string> = {
  name: 'host',
  env: 'HOST',
  fallback: { kind: 'text', text: '127.0.0.1' },
  unit: 'IP address or host name',
  range: 'without scheme or port',
  neededInProduction: false,
  help: 'Where the server listens. `0.0.0.0` or `::` is every interface.',
  parse: parseHost,
}

export const port: Setting<number> = {
  name: 'port',
  env: 'PORT',
  fallback: { kind: 'text', text: '3000' },
  unit: 'TCP port',
  range: '1 to 65535; 0 outside production: any free one',
  neededInProduction: false,
  help: 'The port on which the server listens.',
  parse: parsePort,
}

export const publicOrigin: Setting<string> = {
  name: 'publicOrigin',
  env: 'PUBLIC_ORIGIN',
  fallback: { kind: 'rule', says: '`http://HOST:PORT` (`https` with TLS_CERT) outside production' },
  unit: 'origin',
  range: 'http or https, no path; https in production unless it is a loopback host',
  neededInProduction: true,
  help: 'The one origin that links, cookies and redirects use.',
  parse: parseOrigin,
}

export const rootSecret: Setting<Secret<Buffer>> = {
  name: 'secret',
  env: 'HOLDFAST_SECRET',
  fallback: { kind: 'rule', says: 'made and kept in the data folder (mode 0600) outside production' },
  unit: 'base64',
  range: 'exactly 32 random bytes; not one that was made for development',
  neededInProduction: true,
  help: 'The root secret: every other key derives from it or is wrapped by it.',
  parse: parseSecret,
}

export const previousSecret: Setting<Secret<Buffer>> = {
  name: 'previousSecret',
  env: 'HOLDFAST_SECRET_PREVIOUS',
  fallback: none,
  unit: 'base64',
  range: 'exactly 32 random bytes, other than HOLDFAST_SECRET',
  neededInProduction: false,
  help: 'The root secret before this one, during a rotation.',
  parse: parseSecret,
}

export const dataDir: Setting<string> = {
  ...path,
  name: 'dataDir',
  env: 'HOLDFAST_DATA_DIR',
  fallback: { kind: 'text', text: '.data' },
  range: 'a folder, relative to the working folder; made when missing',
  neededInProduction: false,
  help: 'The SQLite file, uploads and the outbox are kept here.',
}

export const database: Setting<DatabaseTarget> = {
  name: 'database',
  env: 'DATABASE_URL',
  fallback: { kind: 'rule', says: '`sqlite:` with `app.sqlite` in the data folder' },
  unit: 'URL',
  range: '`sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`',
  neededInProduction: false,
  help: 'Where the data is.',
  parse: parseDatabase,
}

export const redis: Setting<Secret> = {
  name: 'redis',
  env: 'REDIS_URL',
  fallback: { kind: 'rule', says: 'none: in memory' },
  unit: 'URL',
  range: '`redis://HOST:PORT` or `rediss://…` for TLS; Redis 7 or Valkey; `?cluster=true` for a cluster',
  neededInProduction: false,
  help: 'Rate limits that all nodes share. Without it each node counts by itself.',
  parse: parseRedis,
}

export const smtp: Setting<Secret> = {
  name: 'smtp',
  env: 'SMTP_URL',
  fallback: {
    kind: 'rule',
    says: 'none: outside production each mail is a file in `outbox/` of the data folder',
  },
  unit: 'URL',
  range: '`smtps://…`, or `smtp://…` for STARTTLS',
  neededInProduction: true,
  help: 'The mail server.',
  parse: parseSmtp,
}

export const mailFrom: Setting<string> = {
  name: 'mailFrom',
  env: 'MAIL_FROM',
  fallback: none,
  unit: 'mail address',
  range: 'one, also as `Name <address>`; goes with SMTP_URL',
  neededInProduction: true,
  help: 'The sender of every mail.',
  parse: parseSender,
}

export const trustedProxies: Setting<readonly string[]> = {
  name: 'trustedProxies',
  env: 'TRUSTED_PROXIES',
  fallback: none,
  unit: 'CIDR ranges',
  range: 'up to 64, comma separated; not everybody',
  neededInProduction: false,
  help: 'The proxies whose forwarding headers count. Headers from anyone else are ignored.',
  parse: listOf(parseProxyRange, 64),
}

export const neverBanned: Setting<readonly string[]> = {
  name: 'neverBanned',
  env: 'NEVER_BANNED',
  fallback: none,
  unit: 'CIDR ranges',
  range: 'up to 64, comma separated; not everybody',
  neededInProduction: false,
  help: 'Who cannot be banned: monitoring, offices. TRUSTED_PROXIES never can.',
  parse: listOf(parseAllowedRange, 64),
}

export const allowedOrigins: Setting<readonly string[]> = {
  name: 'allowedOrigins',
  env: 'ALLOWED_ORIGINS',
  fallback: none,
  unit: 'origins',
  range: 'up to 64, comma separated, exact: no `*`, no path',
  neededInProduction: false,
  help: 'The other origins whose pages may call the API (CORS).',
  parse: listOf(parseOrigin, 64),
}

export const tlsCert: Setting<string> = {
  ...path,
  name: 'tlsCert',
  env: 'TLS_CERT',
  fallback: none,
  range: 'a PEM file, the certificate first; goes with TLS_KEY',
  neededInProduction: false,
  help: 'The certificate chain of the listener; loaded again when it changes. Without it a proxy speaks TLS.',
}

export const tlsKey: Setting<string> = {
  ...path,
  name: 'tlsKey',
  env: 'TLS_KEY',
  fallback: none,
  range: 'a PEM file; goes with TLS_CERT',
  neededInProduction: false,
  help: 'The private key of the certificate; loaded again when it changes.',
}

export const logLevel: Setting<LogLevel> = {
  name: 'logLevel',
  env: 'LOG_LEVEL',
  fallback: { kind: 'text', text: 'info' },
  unit: 'word',
  range: logLevels.join(', '),
  neededInProduction: false,
  help: 'From which level on a line is logged.',
  parse: oneOf(logLevels),
}

/** Every setting, in the order of the reference. */
export const settingTable: readonly Setting<unknown>[] = [
  nodeEnv,
  host,
  port,
  publicOrigin,
  rootSecret,
  previousSecret,
  dataDir,
  database,
  redis,
  smtp,
  mailFrom,
  trustedProxies,
  neverBanned,
  allowedOrigins,
  tlsCert,
  tlsKey,
  ...alertSettings,
  logLevel,
]
