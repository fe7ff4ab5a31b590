import type { LimitClass, LimitKey, LimitSubject } from '../route/limit-class.ts'

const windows = { second: 1, minute: 60, '15 minutes': 900, hour: 3_600, day: 86_400 } satisfies Record<
  string,
  number
>

/** The windows a limit can have. */
export type Window = keyof typeof windows

/** What a limit class can say besides its count and window. */
export interface LimitChoices extends Omit<LimitClass, 'count' | 'windowSeconds'> {}

/**
 * A limit class: `count` requests in a window, for each address and each account unless `by` says otherwise. The boot
 * gate refuses a count that is no whole number above zero.
 *
 * @example per('minute', 300)
 * @example per('15 minutes', 10, { by: ['account', 'address'], counts: 'failures', outage: 'strict' })
 * @example per('minute', 60, { by: ['tenant'], and: { daily: per('day', 10_000, { by: ['tenant'] }) } })
 */
export function per(window: Window, count: number, choices: LimitChoices = {}): LimitClass {
  return { ...choices, count, windowSeconds: windows[window] }
}

/**
 * A key of the application's own: whose bucket a request takes from.
 *
 * @param name Stands in the plan.
 * @param of Says whose; `null` for a request that the rule does not count. It sees what has not been validated, so a
 * caller can choose what it answers for anything but the address, the account, the session and the tenant: a rule by
 * such a key belongs beside one by address or account, never in its place.
 * @example limitKey('project', ({ params }) => params?.projectId ?? null)
 */
export function limitKey(name: string, of: (subject: LimitSubject) => string | null): LimitKey {
  return Object.freeze({ name, of })
}
