import { z } from 'zod'
import type { Ban, Bans, BanTarget } from '../bans/index.ts'
import { Problem } from '../errors/index.ts'
import { ownRoute, type Route } from '../route/index.ts'
import {
  operatorLimit as limit,
  operators,
  pageQuery,
  Reason,
  ReasonBody,
  RowId,
  refusingBans,
  Time,
} from './words.ts'

const BanView = z.strictObject({
  id: z.string().max(64),
  kind: z.enum(['address', 'range', 'account']),
  target: z.string().max(100),
  reason: z.string().max(500),
  origin: z.string().max(64),
  madeBy: z.string().max(200).nullable(),
  madeAt: Time,
  expiresAt: Time.nullable(),
  liftedAt: Time.nullable(),
  liftedBy: z.string().max(200).nullable(),
})

const BanOrderBody = z.strictObject({
  kind: z.enum(['address', 'range', 'account']),
  /** `203.0.113.9`, `203.0.113.0/24`, or the id of an account. */
  target: z.string().min(1).max(100),
  reason: Reason,
  /** Without it the ban stands until it is lifted. */
  forSeconds: z
    .int()
    .min(1)
    .max(10 * 365 * 86_400)
    .optional(),
})

/** Bans: seen, made and lifted. @see OWASP ASVS 5.0 §2.4.1 */
export function banRoutes(bans: () => Bans): readonly Route[] {
  return [
    ownRoute(
      'GET /api/admin/bans',
      {
        access: operators(),
        query: z.strictObject({ state: z.enum(['active', 'all']).default('active'), ...pageQuery }),
        output: z.strictObject({ items: z.array(BanView), nextCursor: z.string().nullable() }),
        limit,
      },
      async ({ query }) => {
        const { items, nextCursor } = await refusingBans(() => bans().list(query))
        return { items: items.map(viewOf), nextCursor }
      },
    ),
    ownRoute(
      'POST /api/admin/bans',
      { access: operators(), body: BanOrderBody, output: BanView, status: 201, limit },
      async ({ user, body: { kind, target, reason, forSeconds } }) => {
        const terms = {
          reason,
          actorId: user.id,
          ...(forSeconds === undefined ? {} : { forMs: forSeconds * 1000 }),
        }
        return viewOf(await refusingBans(() => bans().ban({ ...targetOf(kind, target), ...terms })))
      },
    ),
    ownRoute(
      'POST /api/admin/bans/:id/lift',
      { access: operators(), params: RowId, body: ReasonBody, output: BanView, status: 200, limit },
      async ({ user, params, body }) => {
        const by = { actorId: user.id, reason: body.reason }
        const lifted = await refusingBans(() => bans().lift({ id: params.id }, by))
        if (lifted === null) throw new Problem('NOT_FOUND', 'no such ban is in force')
        return viewOf(lifted)
      },
    ),
  ]
}

function targetOf(kind: Ban['kind'], target: string): BanTarget {
  if (kind === 'address') return { address: target }
  return kind === 'range' ? { range: target } : { account: target }
}

function viewOf(ban: Ban): z.input<typeof BanView> {
  return { ...ban }
}
