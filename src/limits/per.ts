import type { LimitClass } from '../route/limit-class.ts'

const windows = { second: 1, minute: 60, '15 minutes': 900, hour: 3_600, day: 86_400 } satisfies Record<
  string,
  number
>

/** The windows a limit can have. */
export type Window = keyof typeof windows

/**
 * A limit class: `count` requests in a window. The boot gate refuses a count that is no whole number above zero.
 *
 * @example words({ limits: { read: per('minute', 300), login: per('15 minutes', 10) }, … })
 */
export function per(window: Window, count: number): LimitClass {
  return { count, windowSeconds: windows[window] }
}
