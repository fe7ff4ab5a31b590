import type { RoutePlan } from '../../route/index.ts'

/** What stands in the config of a route that has passed the boot gate. */
export interface HoldfastMark {
  readonly plan: RoutePlan
}

const made = new WeakSet<object>()

/** The config of a route with this plan. */
export function markedConfig(plan: RoutePlan): { readonly holdfast: HoldfastMark } {
  const holdfast: HoldfastMark = { plan }
  made.add(holdfast)
  return { holdfast }
}

/** The mark in a route's config; only one that {@link markedConfig} has made counts, not one that looks like it. */
export function markOf(config: object): HoldfastMark | undefined {
  const mark: unknown = Reflect.get(config, 'holdfast')
  return isMark(mark) ? mark : undefined
}

function isMark(value: unknown): value is HoldfastMark {
  return typeof value === 'object' && value !== null && made.has(value)
}
