import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { assert } from '../base/index.ts'
import { detection as detectionSetting } from './alert-table.ts'
import { type Fault, SettingsFault } from './fault.ts'
import { readSmallFile } from './files.ts'
import { misspellings } from './misspelling.ts'
import { type Environment, type Reading, SettingReader } from './reader.ts'
import * as rules from './resolve.ts'
import { resolveAlerts, resolveMetricsToken } from './resolve-alerts.ts'
import type { Settings } from './settings.ts'
import * as table from './table.ts'

/** How to load the settings. */
export interface LoadOptions {
  /** Where `.env` is looked for and relative paths start; the process's working folder unless given. */
  readonly workingDir?: string
}

/**
 * Reads, checks and completes the settings.
 *
 * Each can be given as `NAME_FILE=path` too. Outside production `.env` of the working folder is read below the
 * environment, and the root secret is made and kept in the data folder.
 *
 * @throws SettingsFault with everything that is wrong, no value among it.
 * @see OWASP ASVS 5.0 §13.3.1, §13.2.3
 * @example const settings = loadSettings(process.env)
 */
export function loadSettings(environment: Environment, options: LoadOptions = {}): Settings {
  const workingDir = resolve(options.workingDir ?? '.')
  // First of all the mode: it decides whether `.env` counts, so `.env` cannot decide it.
  const first = new SettingReader({ layers: [environment], workingDir, mode: undefined })
  const decided = first.read(table.nodeEnv)
  const mode = decided.kind === 'given' ? decided.value : undefined
  const dotEnv = mode === undefined || mode === 'production' ? noDotEnv : readDotEnv(workingDir, mode)
  const layers = [environment, dotEnv.layer]
  const reader = new SettingReader({ layers, workingDir, mode })
  const settings = complete(reader, layers)
  const faults = [...first.faults, ...dotEnv.faults, ...reader.faults]
  if (faults.length > 0) throw new SettingsFault(faults)
  assert(settings !== undefined, 'settings without a fault are complete')
  return settings
}

// Everything is looked at before anything is given up, so that each fault is found.
function complete(reader: SettingReader, layers: readonly Environment[]): Settings | undefined {
  const host = givenOf(reader.read(table.host))
  const port = rules.resolvePort(reader)
  const tls = rules.resolveTls(reader)
  const publicOrigin = rules.resolveOrigin(reader, { host, port, tls })
  const relativeDir = givenOf(reader.read(table.dataDir))
  const dataDir = relativeDir === undefined ? undefined : resolve(reader.workingDir, relativeDir)
  const secret = rules.resolveSecret(reader, dataDir)
  const previousSecret = rules.resolvePreviousSecret(reader, secret)
  const database = rules.resolveDatabase(reader, dataDir)
  const redis = rules.resolveRedis(reader)
  const mail = rules.resolveMail(reader, dataDir)
  const trustedProxies = listOrNone(reader.read(table.trustedProxies))
  const neverBanned = listOrNone(reader.read(table.neverBanned))
  const allowedOrigins = listOrNone(reader.read(table.allowedOrigins))
  const detection = givenOf(reader.read(detectionSetting))
  const metricsToken = resolveMetricsToken(reader)
  const alerts = resolveAlerts(reader)
  const logLevel = givenOf(reader.read(table.logLevel))
  const { mode } = reader
  if (mode === undefined || host === undefined || port === undefined || tls === undefined) return undefined
  if (publicOrigin === undefined || dataDir === undefined || secret === undefined) return undefined
  if (previousSecret === undefined || database === undefined || redis === undefined) return undefined
  if (mail === undefined || trustedProxies === undefined || allowedOrigins === undefined) return undefined
  if (neverBanned === undefined || alerts === undefined || logLevel === undefined) return undefined
  if (detection === undefined) return undefined
  return Object.freeze({
    mode,
    host,
    port,
    publicOrigin,
    secret,
    previousSecret,
    dataDir,
    database,
    redis,
    mail,
    trustedProxies,
    neverBanned,
    allowedOrigins,
    tls,
    detection,
    metricsToken,
    alerts,
    logLevel,
    warnings: warningsAbout(layers),
  })
}

function givenOf<T>(reading: Reading<T>): T | undefined {
  return reading.kind === 'given' ? reading.value : undefined
}

function listOrNone<T>(reading: Reading<readonly T[]>): readonly T[] | undefined {
  return reading.kind === 'absent' ? Object.freeze([]) : givenOf(reading)
}

interface DotEnv {
  readonly layer: Environment
  readonly faults: readonly Fault[]
}

const noDotEnv: DotEnv = { layer: {}, faults: [] }

function readDotEnv(workingDir: string, mode: table.Mode): DotEnv {
  const read = readSmallFile(resolve(workingDir, '.env'))
  if ('problem' in read) {
    if (read.isMissing) return noDotEnv
    return {
      layer: {},
      faults: [{ env: '.env', problem: read.problem, fix: 'make it readable, or remove it' }],
    }
  }
  const layer = parseEnv(read.text)
  const wanted = layer[table.nodeEnv.env]
  if (wanted === undefined || wanted === mode) return { layer, faults: [] }
  const fix = 'set NODE_ENV in the environment, or remove it from .env'
  return { layer, faults: [{ env: '.env', problem: 'sets NODE_ENV, which it comes too late for', fix }] }
}

function warningsAbout(layers: readonly Environment[]): readonly string[] {
  const known = table.settingTable.map(({ env }) => env)
  const found = misspellings(
    layers.flatMap((layer) => Object.keys(layer)),
    known,
  )
  return Object.freeze(
    found.map(({ found, meant }) =>
      meant === undefined
        ? `${found} is set, but is no setting of Holdfast.`
        : `${found} is set, but is no setting of Holdfast. Did you mean ${meant}?`,
    ),
  )
}
