import type { MigrationDatabase } from '../data/index.ts'
import { sealingSince } from '../keys/index.ts'
import type { PostureFacts } from '../operations/index.ts'
import type { Plan } from '../route/index.ts'
import type { Settings } from '../settings/index.ts'
import { signingSince } from '../tokens/index.ts'
import { countAdministrators } from '../users/index.ts'

/** What the posture is read from. */
export interface PostureSources {
  readonly settings: Settings
  readonly db: MigrationDatabase
  readonly plan: () => Plan
  readonly unscopedUses: () => ReadonlyMap<string, number>
  readonly detection: PostureFacts['detection']
  readonly retentionDays: number
}

/** Reads how the server runs. */
export async function readPosture(sources: PostureSources): Promise<PostureFacts> {
  const { settings, db, plan, unscopedUses, detection, retentionDays } = sources
  const { routes } = plan()
  return {
    mode: settings.mode,
    isHttps: settings.publicOrigin.startsWith('https:'),
    database: settings.database.kind,
    areLimitsShared: settings.redis !== null,
    isMailSent: settings.mail.kind === 'smtp',
    alertChannels: alertChannels(settings),
    detection,
    retentionDays,
    administratorCount: await countAdministrators(db),
    openRoutes: routes.flatMap(({ method, path, access }) =>
      access.kind === 'open' ? [{ route: `${method} ${path}`, reason: access.reason }] : [],
    ),
    routeCount: routes.length,
    unscopedUses: [...unscopedUses()].map(([reason, useCount]) => ({ reason, useCount })),
    keys: await keyAges(db, Date.now()),
  }
}

/** The names of the channels that are set up. */
export function alertChannels({ alerts }: Pick<Settings, 'alerts'>): readonly string[] {
  const { mailTo, webhook, slack, pagerDuty, syslog } = alerts
  return [
    ...(mailTo.length > 0 ? ['mail'] : []),
    ...(webhook === null ? [] : ['webhook']),
    ...(slack === null ? [] : ['slack']),
    ...(pagerDuty === null ? [] : ['pagerduty']),
    ...(syslog === null ? [] : ['syslog']),
  ]
}

/** How old the keys are that sign and seal now. */
export async function keyAges(
  db: MigrationDatabase,
  nowMs: number,
): Promise<readonly { readonly name: string; readonly ageSeconds: number }[]> {
  const since = { 'signing key': await signingSince(db, nowMs), 'data key': await sealingSince(db, nowMs) }
  return Object.entries(since).flatMap(([name, at]) =>
    at === null ? [] : [{ name, ageSeconds: Math.max(0, Math.round((nowMs - Date.parse(at)) / 1000)) }],
  )
}
