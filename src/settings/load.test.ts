import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { unguessableBytes } from '../crypto/index.ts'
import { type Fault, SettingsFault } from './fault.ts'
import { type Environment, loadSettings } from './index.ts'
import type { Settings } from './settings.ts'

const strong = unguessableBytes(32).toString('base64')
const production = {
  NODE_ENV: 'production',
  PUBLIC_ORIGIN: 'https://api.example.com',
  HOLDFAST_SECRET: strong,
  SMTP_URL: 'smtps://mail.example.com',
  MAIL_FROM: 'Notes <no-reply@example.com>',
}

function folder(files: Readonly<Record<string, string>> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-settings-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return dir
}

function load(environment: Environment, workingDir: string = folder()): Settings {
  return loadSettings(environment, { workingDir })
}

function refusal(environment: Environment, workingDir: string = folder()): SettingsFault {
  try {
    loadSettings(environment, { workingDir })
  } catch (error) {
    if (error instanceof SettingsFault) return error
    throw error
  }
  return expect.unreachable('the settings were accepted')
}

function faults(environment: Environment, workingDir?: string): readonly Fault[] {
  return refusal(environment, workingDir).faults
}

describe('what holds when nothing is set', () => {
  it('is a server on this machine only, with SQLite and an outbox in the data folder', () => {
    const dir = folder()
    expect(load({}, dir)).toMatchObject({
      mode: 'development',
      host: '127.0.0.1',
      port: 3000,
      publicOrigin: 'http://127.0.0.1:3000',
      previousSecret: null,
      dataDir: join(dir, '.data'),
      database: { kind: 'sqlite', path: join(dir, '.data', 'app.sqlite') },
      redis: null,
      mail: { kind: 'outbox', dir: join(dir, '.data', 'outbox'), from: null },
      trustedProxies: [],
      neverBanned: [],
      allowedOrigins: [],
      tls: null,
      logLevel: 'info',
      warnings: [],
    })
  })

  it('is frozen, all the way down', () => {
    const settings = load({})
    for (const part of [
      settings,
      settings.database,
      settings.mail,
      settings.trustedProxies,
      settings.warnings,
    ]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it('V13.2.3 V13.3.1 is refused in production, everything needed at once, and nothing is made', () => {
    const dir = folder()
    const { faults, report, exitCode } = refusal({ NODE_ENV: 'production' }, dir)
    expect(faults.map(({ env }) => env)).toEqual([
      'PUBLIC_ORIGIN',
      'HOLDFAST_SECRET',
      'SMTP_URL',
      'MAIL_FROM',
    ])
    expect(exitCode).toBe(78)
    expect(report).toContain('4 settings need a look')
    expect(existsSync(join(dir, '.data'))).toBe(false)
  })
})

describe('a production environment', () => {
  it('is accepted when it is complete', () => {
    expect(load(production)).toMatchObject({
      mode: 'production',
      publicOrigin: 'https://api.example.com',
      mail: { kind: 'smtp', from: 'Notes <no-reply@example.com>' },
    })
  })

  const cases = [
    {
      name: 'V12.2.1 http origin',
      change: { PUBLIC_ORIGIN: 'http://api.example.com' },
      env: 'PUBLIC_ORIGIN',
    },
    { name: 'a port left to chance', change: { PORT: '0' }, env: 'PORT' },
    { name: 'a database in memory', change: { DATABASE_URL: 'sqlite::memory:' }, env: 'DATABASE_URL' },
    { name: 'no mail server', change: { SMTP_URL: undefined }, env: 'SMTP_URL' },
    { name: 'no sender', change: { MAIL_FROM: undefined }, env: 'MAIL_FROM' },
  ]
  for (const { name, change, env } of cases) {
    it(`is refused: ${name}`, () => {
      expect(faults({ ...production, ...change }).map((fault) => fault.env)).toEqual([env])
    })
  }

  it('may be plain http where only this machine can reach it', () => {
    for (const host of ['localhost:8080', '127.0.0.1', '[::1]:3000', 'api.localhost']) {
      expect(load({ ...production, PUBLIC_ORIGIN: `http://${host}` }).publicOrigin).toBe(`http://${host}`)
    }
  })

  it('V13.2.3 refuses a secret that was made for development, on whatever machine', () => {
    const dir = folder()
    load({}, dir)
    const made = readFileSync(join(dir, '.data', 'secret'), 'utf8').trim()
    expect(load({ HOLDFAST_SECRET: made }).mode).toBe('development')
    for (const env of ['HOLDFAST_SECRET', 'HOLDFAST_SECRET_PREVIOUS']) {
      const found = faults({ ...production, [env]: made })
      expect(found).toMatchObject([{ env, problem: expect.stringContaining('made for development') }])
    }
  })

  it('V13.4.2 does not read .env', () => {
    const dir = folder({ '.env': `PORT=4000\nHOLDFAST_SECRET=${strong}\n` })
    expect(load(production, dir).port).toBe(3000)
    expect(faults({ ...production, HOLDFAST_SECRET: undefined }, dir)).toHaveLength(1)
  })
})

describe('the mode', () => {
  it('is refused when it is no known word, and the formats of the rest are still looked at', () => {
    const dir = folder({ '.env': 'LOG_LEVEL=x' })
    expect(faults({ NODE_ENV: 'prod', PORT: 'x' }, dir).map(({ env }) => env)).toEqual(['NODE_ENV', 'PORT'])
    expect(existsSync(join(dir, '.data'))).toBe(false)
  })

  it('cannot be changed by .env, which it decides about', () => {
    expect(faults({}, folder({ '.env': 'NODE_ENV=production' }))).toMatchObject([{ env: '.env' }])
    expect(load({}, folder({ '.env': 'NODE_ENV=development' })).mode).toBe('development')
  })
})

describe('where a value comes from', () => {
  it('is the environment first, then .env', () => {
    const dir = folder({ '.env': 'HOST=::1\nPORT=4000\n' })
    expect(load({ PORT: '5000' }, dir)).toMatchObject({ host: '::1', port: 5000 })
  })

  it('can be a file, whose trailing line ends do not count', () => {
    const dir = folder({ level: 'debug\r\n' })
    expect(load({ LOG_LEVEL_FILE: 'level' }, dir).logLevel).toBe('debug')
    expect(load({ LOG_LEVEL_FILE: join(dir, 'level') }, dir).logLevel).toBe('debug')
  })

  it('is the environment where .env names a file for the same setting', () => {
    const dir = folder({ '.env': 'LOG_LEVEL_FILE=absent' })
    expect(load({ LOG_LEVEL: 'warn' }, dir).logLevel).toBe('warn')
  })

  const cases = [
    { name: 'given twice', env: { LOG_LEVEL: 'info', LOG_LEVEL_FILE: 'level' }, says: 'set twice' },
    { name: 'a file that is absent', env: { LOG_LEVEL_FILE: 'absent' }, says: 'cannot be read (ENOENT)' },
    { name: 'a folder', env: { LOG_LEVEL_FILE: '.' }, says: 'cannot be read (EISDIR)' },
    { name: 'a file without end', env: { LOG_LEVEL_FILE: '/dev/zero' }, says: 'longer than 65536 bytes' },
    { name: 'an empty file', env: { LOG_LEVEL_FILE: 'nothing' }, says: 'is empty' },
    { name: 'empty', env: { LOG_LEVEL: '' }, says: 'unset it' },
    { name: 'blanks around', env: { LOG_LEVEL: ' info' }, says: 'blanks' },
    {
      name: 'a line end within',
      env: { MAIL_FROM: 'a@example.com\nBcc: b@example.com' },
      says: 'control character',
    },
  ]
  for (const { name, env, says } of cases) {
    it(`is refused: ${name}`, () => {
      const { report, faults } = refusal(env, folder({ level: 'info', nothing: '\n' }))
      expect(faults).toHaveLength(1)
      expect(report).toContain(says)
    })
  }

  it('V16.2.5 is never printed, whatever is wrong with it', () => {
    const canary = 'c4nary'
    const everywhere = {
      HOST: `${canary} host`,
      PORT: canary,
      PUBLIC_ORIGIN: `https://user:${canary}@example.com/`,
      HOLDFAST_SECRET: canary,
      HOLDFAST_SECRET_PREVIOUS_FILE: canary,
      DATABASE_URL: `mysql://user:${canary}@example.com/db`,
      REDIS_URL: `redis://:${canary}@example.com/x`,
      SMTP_URL: `http://:${canary}@example.com`,
      MAIL_FROM: canary,
      TRUSTED_PROXIES: canary,
      NEVER_BANNED: canary,
      ALLOWED_ORIGINS: `https://${canary}.example.com/path`,
      TLS_CERT: canary,
      TLS_KEY: canary,
      LOG_LEVEL: canary,
      HOLDFAST_DATA_DIR: `${canary}\u0000`,
      HOLDFAST_SECERT: canary,
    }
    const fault = refusal(everywhere)
    expect(fault.faults).toHaveLength(16)
    expect(`${fault.report}${inspect(fault)}${JSON.stringify(fault)}${fault.stack}`).not.toContain(canary)
    expect(refusal({ NODE_ENV: canary }).report).not.toContain(canary)
    const settings = load({
      HOLDFAST_SECRET: strong,
      SMTP_URL: `smtp://u:${canary}@example.com`,
      MAIL_FROM: 'a@b.example',
    })
    const printed = `${inspect(settings, { depth: 9 })}${JSON.stringify(settings)}`
    for (const hidden of [canary, strong.slice(0, 20)]) expect(printed).not.toContain(hidden)
  })

  it('refuses a .env that cannot be read', () => {
    const dir = folder()
    writeFileSync(join(dir, '.env'), 'x'.repeat(70_000))
    expect(faults({}, dir)).toMatchObject([{ env: '.env' }])
    chmodSync(join(dir, '.env'), 0o600)
  })
})

describe('names that look like ours', () => {
  it('are warned about with what was probably meant, and are not faults', () => {
    const environment = {
      PUBLIC_ORGIN: 'x',
      HOLDFAST_SECERT: 'x',
      HOLDFAST_SECRET_PREVIUOS_FILE: 'x',
      HOLDFAST_COLOUR: 'x',
      log_level: 'x',
      REDIS_URI: 'x',
    }
    expect(load(environment).warnings.map((text) => text.replace(/ is set, .*?\./, ''))).toEqual([
      'HOLDFAST_COLOUR',
      'HOLDFAST_SECERT Did you mean HOLDFAST_SECRET?',
      'HOLDFAST_SECRET_PREVIUOS_FILE Did you mean HOLDFAST_SECRET_PREVIOUS_FILE?',
      'PUBLIC_ORGIN Did you mean PUBLIC_ORIGIN?',
      'REDIS_URI Did you mean REDIS_URL?',
      'log_level Did you mean LOG_LEVEL?',
    ])
  })

  it('leave alone what belongs to others', () => {
    const others = [
      'PATH',
      'HOME',
      'HOSTNAME',
      'SSL_CERT_FILE',
      'NODE_OPTIONS',
      'NODE_PATH',
      'LOGNAME',
      'MAIL',
      'POSTGRES_URL',
    ]
    expect(load(Object.fromEntries(others.map((name) => [name, 'x']))).warnings).toEqual([])
  })

  it('are found in .env as well, and one that could forge a log line is not repeated', () => {
    expect(load({}, folder({ '.env': 'PROT=1' })).warnings).toHaveLength(1)
    expect(load({ 'HOLDFAST_\n[error] forged': 'x' }).warnings).toEqual([])
  })
})
