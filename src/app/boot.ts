import { type TrailReader, trailKeys, trailReader } from '../audit/index.ts'
import { assert } from '../base/index.ts'
import { deriveKey } from '../crypto/index.ts'
import type { Database, OwnedRows } from '../data/index.ts'
import type {
  Edge,
  EdgeOptions,
  ObserveRequest,
  PipelineServices,
  ReadinessCheck,
  RequestResponses,
} from '../http/index.ts'
import { OnceReplies, replySeal } from '../idempotency/index.ts'
import type { Identify } from '../identity/index.ts'
import { type Metrics, openTraces } from '../metrics/index.ts'
import type { Logger } from '../observe/index.ts'
import type { Responses } from '../responses/index.ts'
import { loadSettings, type Settings } from '../settings/index.ts'
import type { WorkerSeat } from '../workers/index.ts'
import { assemble } from './assemble.ts'
import type { BootOptions } from './boot-options.ts'
import type { AppDeclaration } from './declaration.ts'
import { type Defence, openDefence } from './defence.ts'
import { type ExaminedApp, examineApp } from './examine.ts'
import { type Foundation, layFoundation, loggerFor } from './foundation.ts'
import { Late } from './late.ts'
import { type OpenLimits, openLimitStore } from './limit-store.ts'
import { openMetrics } from './metrics.ts'
import type { MetricsFront } from './metrics-routes.ts'
import { accountsFront, followEvents, type OwnParts, ownPartsOf, ownRoutesOf } from './own-parts.ts'
import { refusalEvents } from './refusal-events.ts'
import { refusedRows } from './refused-rows.ts'
import { type Server, serverOf } from './server.ts'
import { servicesOf } from './services.ts'

/** Puts a server together without listening. @throws SettingsFault, BootError, DatabaseFault */
export async function boot(declaration: AppDeclaration, options: BootOptions): Promise<Server> {
  const { worker } = options
  const settings = loadSettings(options.environment ?? process.env)
  const late = new Late<OwnParts>()
  const app = await examineApp(declaration, ownRoutesOf(declaration, late.get))
  const given = (options.identity ?? declaration.identity)?.(settings)
  const logger = options.logger ?? loggerFor(declaration, settings)
  if (worker?.isFirst !== false) for (const warning of settings.warnings) logger.warn(warning)
  const origin = { now: settings.publicOrigin }
  const { resources } = app.vocabulary
  // Closed from the last to the first.
  const closers: (() => Promise<void>)[] = []
  const closeParts = async (): Promise<void> => {
    for (const close of closers.toReversed()) await close()
  }
  const limits = await openLimitStore(declaration, settings, logger, worker)
  closers.push(() => limits.store.close())
  const ground = {
    declaration,
    settings,
    resources,
    logger,
    limits: limits.store,
    kind: 'server',
    worker,
  } as const
  const foundation = await layFoundation({ ...ground, origin: () => origin.now }).catch(
    async (error: unknown) => {
      await closeParts()
      throw error
    },
  )
  closers.push(foundation.closeParts)
  try {
    const { database, trail } = foundation
    const reader = trailReader(database.db, trailKeys(settings.secret, settings.previousSecret), trail)
    const defence = await openDefence({ declaration, settings, reader, foundation, logger, worker })
    closers.push(defence.close)
    return await serve({
      ...{ declaration, settings, app, given, logger, origin, limits, late },
      ...{ foundation, defence, reader, closeParts, worker },
    })
  } catch (error) {
    await closeParts()
    await foundation.database.close()
    throw error
  }
}

/** Everything that is open when the server is put together. */
interface Opened {
  readonly declaration: AppDeclaration
  readonly settings: Settings
  readonly app: ExaminedApp
  readonly given: Identify | undefined
  readonly logger: Logger
  /** The public origin; with a free port known once the server listens. */
  readonly origin: { now: string }
  readonly limits: OpenLimits
  readonly late: Late<OwnParts>
  readonly foundation: Foundation
  readonly defence: Defence
  readonly reader: TrailReader
  readonly closeParts: () => Promise<void>
  readonly worker: WorkerSeat | undefined
}

async function serve(opened: Opened): Promise<Server> {
  const { declaration, settings, app, logger, origin, foundation, defence, reader, worker } = opened
  const { database, rows, trail, bans, accounts } = foundation
  const holder: { server?: Server } = {}
  if (accounts !== undefined)
    opened.late.set(
      ownPartsOf(accounts.parts, { declaration, foundation, defence, reader, settings, holder }),
    )
  const seen: { edge?: Edge } = {}
  const { limits } = opened
  const metrics = openMetrics({
    ...{ declaration, foundation, defence, limits, logger, worker },
    edge: () => seen.edge,
  })
  const { edge, plan } = await assemble({
    declaration,
    app,
    services: pipelineServices(opened),
    origin: () => origin.now,
    follow: () => followEvents(reader),
    metrics: { front: () => frontOf(metrics), token: settings.metricsToken },
    accounts:
      accounts === undefined
        ? undefined
        : accountsFront(declaration, settings.mode, () => accounts.parts.tokens.jwks()),
    options: {
      ...edgeOptionsOf(settings, declaration),
      logger,
      bannedForMs: bans.addressBannedForMs,
      watchers: {
        observe: observers(metrics.observe, defence.observeRequest, refusalEvents(trail.emit)),
        tracer: await openTraces({ origin: () => origin.now, version: declaration.version ?? '0.0.0' }),
      },
    },
  })
  seen.edge = edge
  edge.health.add('database', () => database.check())
  if (worker !== undefined) edge.health.add('workers', wholeness(worker))
  const server = serverOf({
    edge,
    plan,
    settings,
    rows,
    bans: bans.bans,
    events: { ...reader, emit: trail.emit, listen: (listener) => trail.listen(listener) },
    alerts: defence.alerts,
    responses: defence.responses,
    logger,
    onListening(address) {
      if (new URL(settings.publicOrigin).port === '0') origin.now = address
      logger.info({ address }, 'listening')
    },
    origin: () => origin.now,
    database,
    accounts: accounts?.parts,
    onStop: opened.closeParts,
    worker: worker,
  })
  holder.server = server
  return server
}

function pipelineServices({
  declaration,
  settings,
  given,
  logger,
  limits,
  foundation,
  defence,
}: Opened): PipelineServices {
  const { database, rows, trail, bans, accounts } = foundation
  const identify = given ?? accounts?.identity.identify
  const recall = given === undefined ? accounts?.identity.recall : undefined
  assert(identify !== undefined, 'an application without an identity of its own has accounts')
  return servicesOf({
    rows,
    identify,
    recall,
    refusedRow: refusedRows(rows, trail.emit, logger),
    emit: trail.emit,
    responses: requestResponses(defence.responses),
    once: onceReplies(database, rows, settings),
    limits: limits.store,
    limitFields: declaration.http?.rateLimits?.fields,
    accountBannedForMs: bans.accountBannedForMs,
    cursorKey: deriveKey(settings.secret, 'cursor'),
  })
}

function edgeOptionsOf(settings: Settings, { http }: AppDeclaration): Omit<EdgeOptions, 'logger'> {
  return {
    origin: new URL(settings.publicOrigin),
    mode: settings.mode,
    trustedProxies: settings.trustedProxies,
    allowedOrigins: settings.allowedOrigins,
    tls: settings.tls ?? undefined,
    ...http,
  }
}

function onceReplies(database: Database, rows: OwnedRows, { secret }: Settings): OnceReplies {
  const nameKey = deriveKey(secret, 'idempotency-name')
  return new OnceReplies({ database, rows, nameKey, seal: replySeal(deriveKey(secret, 'idempotency-reply')) })
}

function frontOf(metrics: Metrics): MetricsFront {
  return {
    exposition: (accept) => metrics.exposition(accept),
    security: () => metrics.securitySummary(),
  }
}

function observers(...all: readonly ObserveRequest[]): ObserveRequest {
  return (request) => {
    for (const observe of all) observe(request)
  }
}

function requestResponses({ index }: Responses): RequestResponses {
  return {
    slowsDown: () => index.count > 0,
    slowedByMs: (address, userId) => index.delayMsFor(address, userId),
    stepUpSinceMs: (userId, sessionId) => index.stepUpSinceMs(userId, sessionId),
  }
}

/** Ready when all workers are. One that is replaced later takes nobody out of service: the others go on. */
function wholeness(worker: WorkerSeat): ReadinessCheck {
  return () => {
    if (!worker.isWhole()) throw new DOMException('not all workers listen yet', 'InvalidStateError')
  }
}
