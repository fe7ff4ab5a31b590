import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { unguessableBytes } from '../crypto/index.ts'
import { type Environment, loadSettings, type Settings, SettingsFault } from './index.ts'

const secret = unguessableBytes(32).toString('base64')
const dir = mkdtempSync(join(tmpdir(), 'holdfast-resolve-'))
for (const name of ['', 'other-']) {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc']
  const output = ['-keyout', join(dir, `${name}key.pem`), '-out', join(dir, `${name}cert.pem`)]
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, '-subj', '/CN=localhost', ...output], {
    stdio: 'ignore',
  })
}

function load(environment: Environment): Settings {
  return loadSettings({ HOLDFAST_SECRET: secret, ...environment }, { workingDir: dir })
}

/** The variables that are refused, each with its problem. */
function refused(environment: Environment): readonly string[] {
  try {
    load(environment)
    return []
  } catch (error) {
    if (!(error instanceof SettingsFault)) throw error
    return error.faults.map(({ env, problem }) => `${env} ${problem}`)
  }
}

describe('PUBLIC_ORIGIN, when it follows from the listener', () => {
  const cases = [
    { env: {}, want: 'http://127.0.0.1:3000' },
    { env: { PORT: '0' }, want: 'http://127.0.0.1:0' },
    { env: { PORT: '80' }, want: 'http://127.0.0.1' },
    { env: { HOST: '::1', PORT: '8080' }, want: 'http://[::1]:8080' },
    { env: { HOST: '0.0.0.0' }, want: 'http://localhost:3000' },
    { env: { HOST: '::' }, want: 'http://localhost:3000' },
    {
      env: { HOST: 'Dev.Example', TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem' },
      want: 'https://dev.example:3000',
    },
  ]
  for (const { env, want } of cases) {
    it(`is ${want} for ${JSON.stringify(env)}`, () => {
      expect(load(env).publicOrigin).toBe(want)
    })
  }
})

describe('TLS_CERT and TLS_KEY', () => {
  it('are absolute paths when both are readable and fit together', () => {
    const { tls } = load({ TLS_CERT: 'cert.pem', TLS_KEY: join(dir, 'key.pem') })
    expect(tls).toEqual({ certPath: join(dir, 'cert.pem'), keyPath: join(dir, 'key.pem') })
  })

  const cases = [
    { env: { TLS_CERT: 'cert.pem' }, want: ['TLS_KEY is missing'] },
    { env: { TLS_KEY: 'key.pem' }, want: ['TLS_CERT is missing'] },
    {
      env: { TLS_CERT: 'absent', TLS_KEY: '.' },
      want: ['TLS_CERT names a file that cannot be read (ENOENT)', 'TLS_KEY names'],
    },
    {
      env: { TLS_CERT: 'cert.pem', TLS_KEY: 'other-key.pem' },
      want: ['TLS_CERT and TLS_KEY name files that do not fit'],
    },
    {
      env: { TLS_CERT: 'key.pem', TLS_KEY: 'cert.pem' },
      want: ['TLS_CERT and TLS_KEY name files that do not fit'],
    },
  ]
  for (const { env, want } of cases) {
    it(`V12.1.1 are refused: ${JSON.stringify(env)}`, () => {
      expect(refused(env)).toEqual(want.map((text) => expect.stringContaining(text)))
    })
  }
})

describe('DATABASE_URL and REDIS_URL', () => {
  it('name a file, from the working folder', () => {
    expect(load({ DATABASE_URL: 'sqlite:data/x.db' }).database).toMatchObject({
      kind: 'sqlite',
      path: join(dir, 'data/x.db'),
    })
    expect(load({ DATABASE_URL: 'sqlite:/var/x.db' }).database).toMatchObject({
      kind: 'sqlite',
      path: '/var/x.db',
    })
    expect(load({ DATABASE_URL: 'sqlite::memory:' }).database).toMatchObject({
      kind: 'sqlite',
      path: ':memory:',
    })
  })

  const cases = [
    { env: { DATABASE_URL: 'postgres:///app' }, want: 'DATABASE_URL is no database URL' },
    { env: { DATABASE_URL: 'postgres://db.example' }, want: 'DATABASE_URL is no database URL' },
    { env: { DATABASE_URL: 'mysql://db.example/app' }, want: 'DATABASE_URL is no database URL' },
    { env: { DATABASE_URL: 'data/x.db' }, want: 'DATABASE_URL is no database URL' },
    { env: { DATABASE_URL: 'sqlite:' }, want: 'DATABASE_URL names no file' },
    { env: { DATABASE_URL: 'sqlite://data/x.db' }, want: 'DATABASE_URL is a URL where a path is expected' },
    { env: { REDIS_URL: 'http://redis.example' }, want: 'REDIS_URL is no Redis URL' },
    { env: { REDIS_URL: 'redis://redis.example/limits' }, want: 'REDIS_URL is no Redis URL' },
    { env: { REDIS_URL: 'redis://redis.example/2?cluster=true' }, want: 'REDIS_URL names a database' },
  ]
  for (const { env, want } of cases) {
    it(`are refused: ${JSON.stringify(env)}`, () => {
      expect(refused(env)).toEqual([expect.stringContaining(want)])
    })
  }
})

describe('mail', () => {
  it('goes to the server with a sender, or else to the outbox', () => {
    expect(load({ SMTP_URL: 'smtp://mail.example:587', MAIL_FROM: 'a@b.example' }).mail.kind).toBe('smtp')
    expect(load({ MAIL_FROM: 'a@b.example' }).mail).toMatchObject({ kind: 'outbox', from: 'a@b.example' })
  })

  const cases = [
    { env: { SMTP_URL: 'smtp://mail.example' }, want: 'MAIL_FROM is missing' },
    { env: { SMTP_URL: 'mail.example', MAIL_FROM: 'a@b.example' }, want: 'SMTP_URL is no mail server URL' },
    { env: { MAIL_FROM: 'nobody' }, want: 'MAIL_FROM is no sender' },
    { env: { MAIL_FROM: 'a@b.example, c@d.example' }, want: 'MAIL_FROM is no sender' },
    { env: { MAIL_FROM: 'A <a@b.example> <c@d.example>' }, want: 'MAIL_FROM is no sender' },
  ]
  for (const { env, want } of cases) {
    it(`is refused: ${JSON.stringify(env)}`, () => {
      expect(refused(env)).toEqual([expect.stringContaining(want)])
    })
  }
})

describe('HOLDFAST_SECRET_PREVIOUS', () => {
  it('V11.1.1 is there during a rotation, and is never the present one', () => {
    const previous = unguessableBytes(32)
    const loaded = load({ HOLDFAST_SECRET_PREVIOUS: previous.toString('base64url') })
    expect(loaded.previousSecret?.reveal().equals(previous)).toBe(true)
    const inUrlSpelling = Buffer.from(secret, 'base64').toString('base64url')
    expect(refused({ HOLDFAST_SECRET_PREVIOUS: inUrlSpelling })).toEqual([
      'HOLDFAST_SECRET_PREVIOUS is the same as HOLDFAST_SECRET',
    ])
  })
})
