import { z } from 'zod'
import { type Alert, type AlertDelivery, AlertFault, type Alerts } from '../alerts/index.ts'
import { Problem } from '../errors/index.ts'
import { ownRoute, type Route } from '../route/index.ts'
import { operatorLimit as limit, operators, pageQuery, ReasonBody, RowId, Time } from './words.ts'

const Level = z.enum(['info', 'warn', 'critical'])
const Samples = z.array(z.string().max(300))

const AlertView = z.strictObject({
  id: z.string().max(64),
  state: z.enum(['open', 'acknowledged', 'closed']),
  severity: Level,
  title: z.string().max(500),
  summary: z.string().max(1_000),
  detectors: z.array(z.string().max(64)),
  count: z.int(),
  openedAt: Time,
  firstAt: Time,
  lastAt: Time,
  samples: z.strictObject({ addresses: Samples, accounts: Samples, sessions: Samples, routes: Samples }),
  acknowledgedAt: Time.nullable(),
  acknowledgedBy: z.string().max(200).nullable(),
  closedAt: Time.nullable(),
  closedBy: z.string().max(200).nullable(),
  reason: z.string().max(500).nullable(),
  mergedInto: z.string().max(64).nullable(),
})

const DeliveryView = z.strictObject({
  id: z.string().max(64),
  alertId: z.string().max(64),
  channel: z.string().max(32),
  kind: z.enum(['opened', 'grown', 'acknowledged', 'closed']),
  state: z.enum(['waiting', 'sent', 'dead']),
  attemptCount: z.int(),
  nextAt: Time,
  lastError: z.string().max(300).nullable(),
  createdAt: Time,
})

/** Alerts: seen, acknowledged, closed, and told again. */
export function alertRoutes(alerts: () => Alerts): readonly Route[] {
  return [...readingRoutes(alerts), ...changingRoutes(alerts)]
}

function readingRoutes(alerts: () => Alerts): readonly Route[] {
  return [
    ownRoute(
      'GET /api/admin/alerts',
      {
        access: operators(),
        query: z.strictObject({
          state: z.enum(['open', 'acknowledged', 'closed', 'all']).optional(),
          severity: Level.optional(),
          ...pageQuery,
        }),
        output: z.strictObject({ items: z.array(AlertView), nextCursor: z.string().nullable() }),
        limit,
      },
      async ({ query }) => {
        const { items, nextCursor } = await refusingAlerts(() => alerts().list(query))
        return { items: items.map(viewOf), nextCursor }
      },
    ),
    ownRoute(
      'GET /api/admin/alerts/:id',
      {
        access: operators(),
        params: RowId,
        output: z.strictObject({ alert: AlertView, deliveries: z.array(DeliveryView) }),
        limit,
      },
      async ({ params }) => {
        const alert = found(await alerts().byId(params.id))
        return { alert: viewOf(alert), deliveries: (await alerts().deliveries(alert.id)).map(deliveryOf) }
      },
    ),
  ]
}

function changingRoutes(alerts: () => Alerts): readonly Route[] {
  const change = { access: operators(), params: RowId, body: ReasonBody, status: 200, limit } as const
  return [
    ownRoute(
      'POST /api/admin/alerts/:id/acknowledge',
      { ...change, output: AlertView },
      async ({ user, params, body }) => {
        const act = { actorId: user.id, reason: body.reason }
        return viewOf(found(await refusingAlerts(() => alerts().acknowledge(params.id, act))))
      },
    ),
    ownRoute(
      'POST /api/admin/alerts/:id/close',
      { ...change, output: AlertView },
      async ({ user, params, body }) => {
        const act = { actorId: user.id, reason: body.reason }
        return viewOf(found(await refusingAlerts(() => alerts().close(params.id, act))))
      },
    ),
    ownRoute(
      'POST /api/admin/deliveries/:id/redeliver',
      { ...change, output: DeliveryView },
      async ({ user, params, body }) => {
        const act = { actorId: user.id, reason: body.reason }
        return deliveryOf(found(await refusingAlerts(() => alerts().redeliver(params.id, act))))
      },
    ),
  ]
}

function found<T>(value: T | null): T {
  if (value === null) throw new Problem('NOT_FOUND', 'no such alert or delivery')
  return value
}

async function refusingAlerts<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AlertFault)) throw error
    if (error.kind === 'conflict') throw new Problem('CONFLICT', error.message, { cause: error })
    const errors = [{ path: '/', message: error.message }]
    throw new Problem('VALIDATION_FAILED', error.message, { errors })
  }
}

function viewOf({ changedAt: _, ...alert }: Alert): z.input<typeof AlertView> {
  const { addresses, accounts, sessions, routes } = alert.samples
  return {
    ...alert,
    detectors: [...alert.detectors],
    samples: {
      addresses: [...addresses],
      accounts: [...accounts],
      sessions: [...sessions],
      routes: [...routes],
    },
  }
}

function deliveryOf(delivery: AlertDelivery): z.input<typeof DeliveryView> {
  return { ...delivery }
}
