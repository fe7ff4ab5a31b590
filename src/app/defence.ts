import { type AlertChannel, alertChannels, type OpenAlerts, openAlerts } from '../alerts/index.ts'
import type { TrailReader } from '../audit/index.ts'
import { deriveKey } from '../crypto/index.ts'
import type { Database } from '../data/index.ts'
import {
  createDetection,
  type Detection,
  type DetectionMode,
  type DetectionParts,
  type Finding,
} from '../detection/index.ts'
import type { SecurityEvent } from '../events/index.ts'
import { type ObserveRequest, trustOf } from '../http/index.ts'
import { redisCounts, type SharedCounts } from '../limits/index.ts'
import type { Logger } from '../observe/index.ts'
import {
  type AccountActions,
  openResponses,
  ResponseRefusal,
  type Responses,
  withoutAccounts,
} from '../responses/index.ts'
import type { Settings } from '../settings/index.ts'
import { type AccountsParts, endByDetector, lockRefusal } from '../users/index.ts'
import { type WorkerSeat, workerCounts } from '../workers/index.ts'
import type { AppDeclaration } from './declaration.ts'
import type { Foundation } from './foundation.ts'
import { startUpkeep } from './upkeep.ts'
import { withWorkers } from './worker-news.ts'

/** What is done about findings: alerts and responses, running. */
export interface Defence {
  readonly alerts: OpenAlerts
  readonly responses: Responses
  /** Takes what a detector has found. It never throws and never waits. */
  readonly onFinding: (finding: Finding) => void
  /** Shows detectors a request whose reply is out. */
  readonly observeRequest: ObserveRequest
  readonly mode: DetectionMode
  close(): Promise<void>
}

/** What it is opened with. */
export interface DefenceOpening {
  readonly declaration: AppDeclaration
  readonly settings: Settings
  readonly reader: TrailReader
  readonly foundation: Pick<Foundation, 'database' | 'trail' | 'bans' | 'accounts'>
  readonly logger: Logger
  readonly worker?: WorkerSeat | undefined
}

/** Opens alerts and responses. @throws ResponseFault, AlertFault for choices that are none */
export async function openDefence(opening: DefenceOpening): Promise<Defence> {
  const { declaration, settings, reader, foundation, logger } = opening
  const { database, trail, bans, accounts } = foundation
  const { db } = database
  const mode = modeOf(declaration, settings)
  const alerts = openAlerts({
    db,
    trail,
    channels: channelsOf(settings, database, accounts?.parts),
    onFailure: (err) => logger.error({ err }, 'an alert could not be written or delivered'),
    isShared: trustOf(settings.trustedProxies),
  })
  const holder: { responses?: Responses } = {}
  const tellOfResponse = withWorkers<null>(opening.worker, 'responses', async () => holder.responses?.read())
  const responses = await openResponses({
    db,
    trail,
    actions: { ...bans.actions, ...accountActions(accounts?.parts) },
    options: {
      ...declaration.detection?.responses,
      ...(mode === 'dry-run' ? { mode: 'dry-run' } : {}),
    },
    onFailure: (err) => logger.error({ err }, 'a response has failed'),
    onWritten: () => tellOfResponse(null),
    onOverfull: (what) => logger.error({ what }, 'there are more responses than there is room for'),
  })
  holder.responses = responses
  const upkeep = startUpkeep(
    [() => alerts.upkeep(), () => responses.clean(), () => pruneOld(reader, retentionDaysOf(declaration))],
    (err) => logger.error({ err }, 'forgetting old events, alerts and responses has failed'),
  )
  const onFinding = (finding: Finding): void => {
    trail.emit(eventOf(finding))
    if (finding.responses.includes('alert')) alerts.raise(finding)
    responses.respond(finding)
  }
  const shared = sharedCounts(opening)
  const detection = openDetection(opening, { onFinding, ...(shared === undefined ? {} : { shared }) })
  const deafen = detection === undefined ? undefined : trail.listen(detection.observeEvents)
  return {
    alerts,
    responses,
    onFinding,
    observeRequest: (request) => detection?.observeRequest(request),
    mode,
    async close() {
      deafen?.()
      await detection?.close()
      await shared?.close()
      await upkeep.stop()
      await responses.close()
      await alerts.end()
    },
  }
}

/** The more cautious one of what the application and the environment say. */
function modeOf({ detection }: AppDeclaration, { detection: setting }: Settings): DetectionMode {
  const modes = [detection?.mode ?? 'on', setting]
  return (['off', 'dry-run'] as const).find((mode) => modes.includes(mode)) ?? 'on'
}

function openDetection(
  { declaration, settings, foundation }: DefenceOpening,
  parts: Pick<DetectionParts, 'onFinding' | 'shared'>,
): Detection | undefined {
  if (modeOf(declaration, settings) === 'off') return undefined
  const { responses: _, ...options } = declaration.detection ?? {}
  const { accounts } = foundation
  return createDetection({
    options,
    ...parts,
    ...(accounts === undefined ? {} : { pseudonymOf: accounts.parts.pseudonymOf }),
  })
}

function sharedCounts({ declaration, settings, logger, worker }: DefenceOpening): SharedCounts | undefined {
  const { redis, secret } = settings
  if (modeOf(declaration, settings) === 'off') return undefined
  if (redis === null) return worker === undefined ? undefined : workerCounts(worker)
  return redisCounts({
    url: redis,
    key: deriveKey(secret, 'detection-count'),
    onOutage: (err) => logger.error({ err }, 'detectors count for this node alone: Redis does not answer'),
    onRecovered: () => logger.warn('detectors count for all nodes again: Redis answers'),
  })
}

function eventOf(finding: Finding): SecurityEvent {
  const { event, detector, points, count, windowMs, subject, summary, level } = finding
  return {
    event,
    ...subjectOf(finding),
    reason: summary,
    details: { detector, points: points.join(' '), count, windowMs, by: subject.by, severity: level },
  }
}

const defaultRetentionDays = 365
const dayMs = 86_400_000

/** After how many days events are removed. */
export function retentionDaysOf({
  audit: { retentionDays = defaultRetentionDays } = {},
}: AppDeclaration): number {
  return retentionDays
}

async function pruneOld(reader: TrailReader, retentionDays: number): Promise<void> {
  const before = new Date(Date.now() - retentionDays * dayMs)
  await reader.prune({ before }, { reason: `kept for ${retentionDays} days` })
}

function subjectOf({ subject }: Finding) {
  if (subject.by === 'account') return { userId: subject.value }
  if (subject.by === 'session') return { sessionId: subject.value }
  return subject.by === 'address' ? { address: subject.value } : {}
}

function channelsOf(
  settings: Settings,
  { db }: Database,
  accounts: AccountsParts | undefined,
): readonly AlertChannel[] {
  // Mails go through the outbox of accounts.
  const targets = accounts === undefined ? { ...settings.alerts, mailTo: [] } : settings.alerts
  return alertChannels(targets, {
    source: new URL(settings.publicOrigin).host,
    async sendMail(to, letter) {
      if (accounts === undefined) return
      await db.transaction().execute(async (trx) => {
        for (const address of to)
          await accounts.outbox.add(trx, { kind: 'alert', data: { to: address, ...letter } })
      })
      accounts.outbox.wake()
    },
  })
}

function accountActions(parts: AccountsParts | undefined): AccountActions {
  if (parts === undefined) return withoutAccounts
  return {
    async requireLockable({ db }, userId, locked) {
      const why = await lockRefusal(db, userId, locked)
      if (why !== undefined) throw new ResponseRefusal(why)
    },
    async revokeSessions({ db, note, afterCommit }, target, { detector }) {
      await endByDetector(parts, { db, note }, { target, detector })
      afterCommit(() => parts.revocations.noteCommitted())
    },
  }
}
