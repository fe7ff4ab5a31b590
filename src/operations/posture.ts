import { z } from 'zod'
import { ownRoute, type Route } from '../route/index.ts'
import { operatorLimit as limit, operators } from './words.ts'

/** What is known of how the server runs, read when somebody asks. */
export interface PostureFacts {
  readonly mode: 'development' | 'test' | 'production'
  readonly isHttps: boolean
  readonly database: 'sqlite' | 'postgres'
  /** Whether all nodes count limits together. */
  readonly areLimitsShared: boolean
  readonly isMailSent: boolean
  /** Where alerts go: `mail`, `webhook`, `slack`, `pagerduty`, `syslog`. */
  readonly alertChannels: readonly string[]
  readonly detection: 'on' | 'dry-run' | 'off'
  readonly retentionDays: number
  readonly administratorCount: number
  /** Routes that anybody may call, with the reason that was given. */
  readonly openRoutes: readonly { readonly route: string; readonly reason: string }[]
  readonly routeCount: number
  /** Uses of the database without row rules since the start, by the reason that was given. */
  readonly unscopedUses: readonly { readonly reason: string; readonly useCount: number }[]
  readonly keys: readonly { readonly name: string; readonly ageSeconds: number }[]
}

/** Something that could be better, and what to do about it. */
export interface PostureFinding {
  readonly rule: string
  readonly severity: 'info' | 'warn' | 'critical'
  readonly says: string
  readonly fix: string
}

const yearSeconds = 365 * 86_400

/** What could be better about how a server runs; empty for nothing. */
export function postureFindings(facts: PostureFacts): readonly PostureFinding[] {
  const isProduction = facts.mode === 'production'
  const findings: (PostureFinding | false)[] = [
    !isProduction && {
      rule: 'mode',
      severity: 'info',
      says: `The server runs in ${facts.mode} mode.`,
      fix: 'Set NODE_ENV=production where others can reach it.',
    },
    !facts.isHttps && {
      rule: 'https',
      severity: isProduction ? 'critical' : 'info',
      says: 'The public origin is not HTTPS: what is sent can be read on the way.',
      fix: 'Set PUBLIC_ORIGIN to an https address.',
    },
    facts.alertChannels.length === 0 && {
      rule: 'alerts.channel',
      severity: isProduction ? 'warn' : 'info',
      says: 'Alerts go nowhere: somebody has to look here to see them.',
      fix: 'Set ALERT_MAIL_TO, ALERT_WEBHOOK_URL, ALERT_SLACK_URL, ALERT_PAGERDUTY_KEY or ALERT_SYSLOG_URL.',
    },
    facts.detection !== 'on' && {
      rule: 'detection.mode',
      severity: facts.detection === 'off' ? 'warn' : 'info',
      says:
        facts.detection === 'off'
          ? 'Detection is off: an attack is logged and nothing else.'
          : 'Detection only says what it would do.',
      fix: 'Set DETECTION=on.',
    },
    facts.administratorCount === 1 && {
      rule: 'administrators.one',
      severity: 'info',
      says: 'There is one administrator: nobody can stand in, and nobody sees what they do.',
      fix: 'Give a second person the role admin.',
    },
    facts.administratorCount > 10 && {
      rule: 'administrators.many',
      severity: 'warn',
      says: `There are ${facts.administratorCount} administrators.`,
      fix: 'Take the role from those who do not need it.',
    },
    ...facts.keys
      .filter(({ ageSeconds }) => ageSeconds > yearSeconds)
      .map(
        ({ name }): PostureFinding => ({
          rule: 'keys.age',
          severity: 'warn',
          says: `The ${name} is older than a year.`,
          fix: 'Rotate it: holdfast keys rotate.',
        }),
      ),
  ]
  return findings.filter((finding) => finding !== false)
}

const Finding = z.strictObject({
  rule: z.string().max(64),
  severity: z.enum(['info', 'warn', 'critical']),
  says: z.string().max(300),
  fix: z.string().max(300),
})

const PostureView = z.strictObject({
  mode: z.enum(['development', 'test', 'production']),
  isHttps: z.boolean(),
  database: z.enum(['sqlite', 'postgres']),
  areLimitsShared: z.boolean(),
  isMailSent: z.boolean(),
  alertChannels: z.array(z.string().max(32)),
  detection: z.enum(['on', 'dry-run', 'off']),
  retentionDays: z.number(),
  administratorCount: z.int(),
  openRoutes: z.array(z.strictObject({ route: z.string().max(500), reason: z.string().max(500) })),
  routeCount: z.int(),
  unscopedUses: z.array(z.strictObject({ reason: z.string().max(500), useCount: z.int() })),
  keys: z.array(z.strictObject({ name: z.string().max(100), ageSeconds: z.number() })),
  findings: z.array(Finding),
})

/** How the server runs, and what could be better about it. @see OWASP ASVS 5.0 §13.4 */
export function postureRoutes(facts: () => Promise<PostureFacts>): readonly Route[] {
  return [
    ownRoute('GET /api/admin/posture', { access: operators(), output: PostureView, limit }, async () => {
      const now = await facts()
      return viewOf(now)
    }),
  ]
}

function viewOf(facts: PostureFacts): z.input<typeof PostureView> {
  return {
    ...facts,
    alertChannels: [...facts.alertChannels],
    openRoutes: [...facts.openRoutes],
    unscopedUses: facts.unscopedUses.map(({ reason, useCount }) => ({
      reason: reason.slice(0, 500),
      useCount,
    })),
    keys: [...facts.keys],
    findings: [...postureFindings(facts)],
  }
}
