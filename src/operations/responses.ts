import { z } from 'zod'
import { Problem } from '../errors/index.ts'
import { type AppliedResponse, ResponseFault, type Responses } from '../responses/index.ts'
import { ownRoute, type Route } from '../route/index.ts'
import { operatorLimit as limit, operators, pageQuery, ReasonBody, RowId, Time } from './words.ts'

const ResponseView = z.strictObject({
  id: z.string().max(64),
  response: z.enum(['slow-down', 'step-up', 'ban-address', 'lock-account', 'revoke-sessions']),
  detector: z.string().max(64),
  mode: z.enum(['applied', 'dry-run']),
  targetKind: z.enum(['address', 'account', 'session']),
  target: z.string().max(100),
  reason: z.string().max(500),
  alertId: z.string().max(64).nullable(),
  madeAt: Time,
  lastAt: Time,
  expiresAt: Time,
  undoneAt: Time.nullable(),
  undoneBy: z.string().max(200).nullable(),
  undoneReason: z.string().max(500).nullable(),
  outcome: z.enum(['done', 'refused', 'failed']),
  why: z.string().max(64).nullable(),
  levelCount: z.int(),
  findingCount: z.int(),
})

/** What detectors have done: seen, and undone. */
export function responseRoutes(responses: () => Responses): readonly Route[] {
  return [
    ownRoute(
      'GET /api/admin/responses',
      {
        access: operators(),
        query: z.strictObject({
          state: z.enum(['active', 'all']).default('active'),
          target: z.string().min(1).max(100).optional(),
          ...pageQuery,
        }),
        output: z.strictObject({ items: z.array(ResponseView), nextCursor: z.string().nullable() }),
        limit,
      },
      async ({ query }) => {
        const { items, nextCursor } = await refusingResponses(() => responses().list(query))
        return { items: items.map(viewOf), nextCursor }
      },
    ),
    ownRoute(
      'POST /api/admin/responses/:id/undo',
      { access: operators(), params: RowId, body: ReasonBody, output: ResponseView, status: 200, limit },
      async ({ user, params, body }) => {
        const by = { actorId: user.id, reason: body.reason }
        const undone = await refusingResponses(() => responses().undo(params.id, by))
        if (undone === null) throw new Problem('NOT_FOUND', 'no such response is in force')
        return viewOf(undone)
      },
    ),
  ]
}

async function refusingResponses<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ResponseFault)) throw error
    const errors = error.faults.map((message) => ({ path: '/', message }))
    throw new Problem('VALIDATION_FAILED', 'responses are asked for in a way that is none', { errors })
  }
}

function viewOf(response: AppliedResponse): z.input<typeof ResponseView> {
  const { effectId: _, findingKey: __, ...view } = response
  return view
}
