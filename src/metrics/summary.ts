import { z } from 'zod'
import type { Counted } from './minutes.ts'

const count = z.int().min(0)

const eventCounts = z
  .record(z.string(), count)
  .meta({ description: 'How many events of each name; names that did not happen are missing.' })

const counts = z.object({
  totalRequests: count,
  serverErrors: count,
  failedAuthentications: count.meta({ description: 'Log-ins with a wrong password, or of nobody.' }),
  successfulLogIns: count,
  unauthenticatedRequests: count.meta({ description: 'Requests without a valid credential (401).' }),
  deniedRequests: count.meta({ description: 'Requests that were not allowed (403), whoever asked.' }),
  rateLimitedRequests: count.meta({ description: 'Requests beyond a limit (429).' }),
  bannedRequests: count.meta({ description: 'Requests of whoever is banned (429).' }),
  suspiciousRequests: count.meta({ description: 'Findings of detectors.' }),
  events: eventCounts,
  topEvents: z.array(z.object({ event: z.string(), count })).max(10),
})

const now = z.int().min(0).nullable().meta({ description: '`null` when it cannot be read now.' })

/**
 * What `/metrics/security` answers: counts and names alone. No address, no id and nothing that a client has sent is
 * in it, so that a wall of screens may show it.
 */
export const securitySummarySchema = z.object({
  generatedAt: z.iso.datetime(),
  uptimeSeconds: z.number().min(0),
  blockedAddresses: now,
  bannedAccounts: now,
  activeUsers: now,
  activeSessions: now,
  openAlerts: now,
  sinceStart: counts,
  lastHour: counts,
  lastDay: counts,
})

/** See {@link securitySummarySchema}. */
export type SecuritySummary = z.infer<typeof securitySummarySchema>

const topCount = 10

/** What was counted in some time, as the summary shows it. */
export function countsOf({ figures: counted, events }: Counted): SecuritySummary['sinceStart'] {
  const { requests, ...rest } = counted
  const topEvents = Object.entries(events)
    .map(([event, eventCount]) => ({ event, count: eventCount }))
    .sort((a, b) => b.count - a.count || (a.event < b.event ? -1 : 1))
    .slice(0, topCount)
  return { totalRequests: requests, ...rest, events: { ...events }, topEvents }
}
