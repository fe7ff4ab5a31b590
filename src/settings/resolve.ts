import { join, resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Secret } from '../base/index.ts'
import { developmentSecret } from './development-secret.ts'
import { errorCode, readSmallFile } from './files.ts'
import { isLoopback, originOf } from './network.ts'
import type { SettingReader } from './reader.ts'
import { isDevelopmentSecret } from './root-secret.ts'
import type { MailTarget, TlsPaths } from './settings.ts'
import * as table from './table.ts'
import { type DatabaseTarget, inMemory } from './targets.ts'

// The rules that hold between settings. Each function answers `undefined` after it has noted why there is nothing,
// so that all of them can run and one start shows every fault.

/** The port, which only production must know beforehand. */
export function resolvePort(reader: SettingReader): number | undefined {
  const port = reader.read(table.port)
  if (port.kind !== 'given') return undefined
  if (port.value !== 0 || reader.mode !== 'production') return port.value
  reader.refuse(table.port.env, 'leaves the port to chance, in production', 'write the port, 1 to 65535')
  return undefined
}

/** The PEM files: both or none, readable, and of one pair. */
export function resolveTls(reader: SettingReader): TlsPaths | null | undefined {
  const cert = reader.read(table.tlsCert)
  const key = reader.read(table.tlsKey)
  if (cert.kind === 'absent' && key.kind === 'absent') return null
  if (cert.kind === 'absent')
    reader.refuse(table.tlsCert.env, 'is missing: TLS_KEY is set', 'set both or none')
  if (key.kind === 'absent')
    reader.refuse(table.tlsKey.env, 'is missing: TLS_CERT is set', 'set both or none')
  const certPem = cert.kind === 'given' ? pemOf(reader, table.tlsCert.env, cert.value) : undefined
  const keyPem = key.kind === 'given' ? pemOf(reader, table.tlsKey.env, key.value) : undefined
  if (certPem === undefined || keyPem === undefined) return undefined
  try {
    createSecureContext({ cert: certPem.text, key: keyPem.text })
  } catch (error) {
    const problem = `and TLS_KEY name files that do not fit together (${errorCode(error)})`
    reader.refuse(
      table.tlsCert.env,
      problem,
      'name a certificate and its own private key, both PEM, the key not encrypted',
    )
    return undefined
  }
  return Object.freeze({ certPath: certPem.path, keyPath: keyPem.path })
}

function pemOf(
  reader: SettingReader,
  env: string,
  given: string,
): { path: string; text: string } | undefined {
  const path = resolve(reader.workingDir, given)
  const read = readSmallFile(path)
  if ('text' in read) return { path, text: read.text }
  reader.refuse(env, `names a file that ${read.problem}`, 'name a PEM file that the server may read')
  return undefined
}

/** What the origin follows from when nobody says it. */
export interface Listener {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly tls: TlsPaths | null | undefined
}

/** The public origin; in production it is secure or stays on this machine. */
export function resolveOrigin(reader: SettingReader, { host, port, tls }: Listener): string | undefined {
  const origin = reader.read(table.publicOrigin)
  if (origin.kind === 'absent') {
    if (host === undefined || port === undefined || tls === undefined) return undefined
    return originOf(tls === null ? 'http' : 'https', host, port)
  }
  if (origin.kind === 'faulty') return undefined
  const { protocol, hostname } = new URL(origin.value)
  if (reader.mode !== 'production' || protocol === 'https:' || isLoopback(hostname)) return origin.value
  reader.refuse(
    table.publicOrigin.env,
    'is not https, in production',
    'write the https origin that users see',
  )
  return undefined
}

/** The root secret; made outside production, refused in production when it was made so. */
export function resolveSecret(
  reader: SettingReader,
  dataDir: string | undefined,
): Secret<Buffer> | undefined {
  const secret = reader.read(table.rootSecret)
  if (secret.kind === 'given') return fitForMode(reader, table.rootSecret.env, secret.value)
  // An undecided mode may mean production, where nothing is made.
  if (secret.kind === 'faulty' || dataDir === undefined || reader.mode === undefined) return undefined
  return reader.accept(table.rootSecret.env, developmentSecret(dataDir))
}

/** The secret before, which cannot be the same. */
export function resolvePreviousSecret(
  reader: SettingReader,
  current: Secret<Buffer> | undefined,
): Secret<Buffer> | null | undefined {
  const previous = reader.read(table.previousSecret)
  if (previous.kind === 'absent') return null
  if (previous.kind === 'faulty') return undefined
  if (current?.reveal().equals(previous.value.reveal()) === true) {
    reader.refuse(
      table.previousSecret.env,
      'is the same as HOLDFAST_SECRET',
      'give the one before, or unset it',
    )
    return undefined
  }
  return fitForMode(reader, table.previousSecret.env, previous.value)
}

function fitForMode(reader: SettingReader, env: string, secret: Secret<Buffer>): Secret<Buffer> | undefined {
  if (reader.mode !== 'production' || !isDevelopmentSecret(secret.reveal())) return secret
  reader.refuse(
    env,
    'was made for development, and production has it',
    'make one with: openssl rand -base64 32',
  )
  return undefined
}

/** The database, with its file as an absolute path. */
export function resolveDatabase(
  reader: SettingReader,
  dataDir: string | undefined,
): DatabaseTarget | undefined {
  const database = reader.read(table.database)
  if (database.kind === 'faulty') return undefined
  if (database.kind === 'absent') {
    return dataDir === undefined
      ? undefined
      : Object.freeze({ kind: 'sqlite', path: join(dataDir, 'app.sqlite') })
  }
  const target = database.value
  if (target.kind === 'postgres') return Object.freeze(target)
  if (target.path !== inMemory)
    return Object.freeze({ kind: 'sqlite', path: resolve(reader.workingDir, target.path) })
  if (reader.mode !== 'production') return Object.freeze(target)
  reader.refuse(table.database.env, 'is in memory and would be lost, in production', 'write sqlite:PATH')
  return undefined
}

/** Redis, or none: limits are counted in the memory of each node. */
export function resolveRedis(reader: SettingReader): Secret | null | undefined {
  const redis = reader.read(table.redis)
  if (redis.kind === 'absent') return null
  return redis.kind === 'faulty' ? undefined : redis.value
}

/** The mail server with its sender, or the outbox. */
export function resolveMail(reader: SettingReader, dataDir: string | undefined): MailTarget | undefined {
  const smtp = reader.read(table.smtp)
  const from = reader.read(table.mailFrom)
  if (smtp.kind === 'faulty' || from.kind === 'faulty') return undefined
  if (smtp.kind === 'given' && from.kind === 'given') {
    return Object.freeze({ kind: 'smtp', url: smtp.value, from: from.value })
  }
  if (smtp.kind === 'given') {
    reader.refuse(table.mailFrom.env, 'is missing: SMTP_URL is set', 'set both or none')
    return undefined
  }
  if (dataDir === undefined) return undefined
  const sender = from.kind === 'given' ? from.value : null
  return Object.freeze({ kind: 'outbox', dir: join(dataDir, 'outbox'), from: sender })
}
