import type { RoutePlan } from '../../route/index.ts'

/** What stands in the config of a route that has passed the boot gate. */
export interface HoldfastMark {
  readonly plan: RoutePlan
}

const made = new WeakSet<object>()
const timed = new WeakSet<object>()

/** The config of a route with this plan. */
export function markedConfig(plan: RoutePlan): { readonly holdfast: HoldfastMark } {
  const holdfast: HoldfastMark = { plan }
  made.add(holdfast)
  return { holdfast }
}

/** Notes that the handler of a route with this config is cut off in time by whoever has registered it. */
export function noteTimed<Config extends object>(config: Config): Config {
  timed.add(config)
  return config
}

/** Whether {@link noteTimed} has been said of a route's config. */
export function isTimed(config: object): boolean {
  return timed.has(config)
}

/** The mark in a route's config; only one that {@link markedConfig} has made counts, not one that looks like it. */
export function markOf(config: object): HoldfastMark | undefined {
  const mark: unknown = Reflect.get(config, 'holdfast')
  return isMark(mark) ? mark : undefined
}

function isMark(value: unknown): value is HoldfastMark {
  return typeof value === 'object' && value !== null && made.has(value)
}
