import type { ProblemCode } from '../errors/index.ts'
import { type AccessPlan, isSafe, type RoutePlan } from '../route/index.ts'

/** The alternatives of an access rule, flat. */
export function alternativesOf(access: AccessPlan): readonly AccessPlan[] {
  return access.kind === 'any' ? access.of.flatMap(alternativesOf) : [access]
}

/** True where the address names one row that the caller must be allowed to touch. */
export function namesRow({ access, path }: RoutePlan): boolean {
  return path.split('/').includes(':id') && alternativesOf(access).some(({ kind }) => kind === 'owns')
}

/** True for a route whose requests Holdfast checks itself: not a plugin's, whose input is the plugin's affair. */
export function isChecked({ origin }: RoutePlan): boolean {
  return origin === 'application'
}

/**
 * The problems that a route can answer with, in the order of their status. Those of the transport (a header block that
 * is too large, another host, a body that stops half-way) can meet every request and are not listed.
 */
export function problemsOf(route: RoutePlan): readonly ProblemCode[] {
  const { access, method, path, schemas } = route
  const alternatives = alternativesOf(access)
  const isChange = !isSafe(method)
  // Probes are answered even when nothing else is, with a body of their own.
  const isProbe = route.origin === 'holdfast' && path.startsWith('/health/')
  const asksOnlyRole = alternatives.every(({ kind }) => kind === 'role')
  const listed: readonly (readonly [ProblemCode, boolean])[] = [
    ['BAD_REQUEST', true],
    ['JSON_REFUSED', schemas.body !== undefined],
    ['VALIDATION_FAILED', isChecked(route)],
    ['UNAUTHENTICATED', access.kind !== 'open'],
    ['FORBIDDEN', asksOnlyRole],
    ['CROSS_SITE_REFUSED', isChange],
    ['NOT_FOUND', isChecked(route) && (namesRow(route) || path.includes('/:'))],
    ['CONFLICT', isChecked(route) && isChange],
    ['IDEMPOTENCY_RUNNING', route.idempotency !== undefined],
    ['PRECONDITION_FAILED', isChange && namesRow(route)],
    ['CONTENT_TOO_LARGE', schemas.body !== undefined],
    ['UNSUPPORTED_MEDIA_TYPE', schemas.body !== undefined],
    ['IDEMPOTENCY_MISMATCH', route.idempotency !== undefined],
    ['QUOTA_EXCEEDED', true],
    ['INTERNAL', true],
    ['OVERLOADED', !isProbe],
    ['UNAVAILABLE', !isProbe],
    ['STOPPING', !isProbe],
  ]
  return listed.filter(([, applies]) => applies).map(([code]) => code)
}
