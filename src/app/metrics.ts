import { alertCounts } from '../alerts/index.ts'
import { detectorNames } from '../detection/index.ts'
import type { Edge } from '../http/index.ts'
import { waitingMails } from '../mail/index.ts'
import { createMetrics, type MetricSources, type Metrics, type WorkerFigures } from '../metrics/index.ts'
import type { Logger } from '../observe/index.ts'
import { sessionActivity } from '../sessions/index.ts'
import type { WorkerSeat } from '../workers/index.ts'
import type { AppDeclaration } from './declaration.ts'
import type { Defence } from './defence.ts'
import type { Foundation } from './foundation.ts'
import type { OpenLimits } from './limit-store.ts'
import { keyAges } from './posture.ts'

// Longer than all sources of one worker may take.
const workersMs = 3_000

/** What metrics are read from. */
export interface MetricsOpening {
  readonly declaration: AppDeclaration
  readonly foundation: Foundation
  readonly defence: Pick<Defence, 'responses' | 'mode'>
  readonly limits: OpenLimits
  readonly logger: Logger
  /** The edge, once there is one. */
  readonly edge: () => Edge | undefined
  readonly worker?: WorkerSeat | undefined
}

/** Opens the metrics of a server: what happens is counted, and the rest is asked for at each scrape. */
export function openMetrics(opening: MetricsOpening): Metrics {
  const { declaration, foundation, logger, worker } = opening
  const metrics = createMetrics({
    version: declaration.version ?? '0.0.0',
    sources: sourcesOf(opening),
    detectors: opening.defence.mode === 'off' ? [] : detectorNames,
    workers: worker && (() => worker.collect<WorkerFigures>('metrics', workersMs)),
    onFailure: (source, err) => logger.warn({ source, err }, 'a metric could not be read'),
  })
  foundation.trail.listen(metrics.observeEvents)
  worker?.hear('metrics', () => metrics.figures())
  return metrics
}

function sourcesOf({ foundation, defence, limits, edge }: MetricsOpening): MetricSources {
  const { database, trail, bans, accounts } = foundation
  const { db } = database
  const isRedisUp = limits.isRedisUp()
  return {
    bans: bans.counts,
    responses: () => ({ inForceCount: defence.responses.index.count }),
    sockets: () => openSockets(edge()),
    alerts: () => alertCounts(db),
    database: async () => ({
      isUp: await database.check().then(yes, no),
      pool: database.engine.connections?.() ?? null,
      errorCount: null,
    }),
    load: () => {
      const shedder = edge()?.shedder
      return { shedCount: shedder?.shedCount ?? 0, delayMs: shedder?.delayMs ?? 0 }
    },
    keys: () => keyAges(db, Date.now()),
    trail: () => ({ ...trail.counts(), rowCount: null }),
    ...(isRedisUp === null ? {} : { redis: () => ({ isUp: limits.isRedisUp() === true }) }),
    ...(accounts === undefined ? {} : accountSources(accounts.parts)),
  }
}

function openSockets(edge: Edge | undefined): Promise<{ readonly openCount: number }> {
  if (edge === undefined) return Promise.resolve({ openCount: 0 })
  return new Promise((resolve, reject) => {
    edge.fastify.server.getConnections((error, openCount) => {
      if (error === null) resolve({ openCount })
      else reject(error)
    })
  })
}

function accountSources({ db, hashing, nowMs }: NonNullable<Foundation['accounts']>['parts']): MetricSources {
  return {
    hashing: () => ({
      waitingCount: hashing.waitingCount,
      runningCount: hashing.runningCount,
      refusedCount: hashing.refusedCount,
    }),
    mail: async () => ({ waitingCount: await waitingMails(db) }),
    sessions: () => sessionActivity(db, nowMs()),
  }
}

const yes = (): boolean => true
const no = (): boolean => false
