/** How many failures in a row are free of any delay. */
export const freeCount = 5

/** The most failures in a row from devices that nobody knows: then the password is none any more until its reset. */
export const ceilingCount = 70

/** The most failures in a row from one known device: then it counts as unknown until somebody logs in on it. */
export const deviceCeilingCount = 20

/**
 * The most failures in a row from all known devices of an account together: then all of them count as unknown.
 *
 * With {@link ceilingCount} it makes 99: however many device cookies somebody has stolen, an account sees no more than
 * the hundred that are the most.
 *
 * @see NIST SP 800-63B-4 §3.2.2
 */
export const knownCeilingCount = 29

const longestMs = 3_600_000

/**
 * How long the next attempt has to wait after so many failures in a row, in milliseconds: nothing for the first few,
 * then a second, and twice as long each time, up to an hour.
 *
 * @see NIST SP 800-63B-4 §3.2.2 (a wait that grows to an hour); OWASP ASVS 5.0 §6.3.1
 */
export function delayAfterMs(failedCount: number): number {
  return failedCount < freeCount ? 0 : Math.min(longestMs, 1_000 * 2 ** (failedCount - freeCount))
}

/** The failure from which on the delay grows no more. */
export const longestFromCount = freeCount + Math.ceil(Math.log2(longestMs / 1_000))

/** What a counter lets through. */
export interface CounterRule {
  readonly ceilingCount: number
  /** The wait after so many failures, in milliseconds. */
  readonly delayAfterMs: (failedCount: number) => number
}

/** Everybody whose device is not known, together: a botnet waits as one. */
export const accountRule: CounterRule = { ceilingCount, delayAfterMs }

/** One known device. */
export const deviceRule: CounterRule = { ceilingCount: deviceCeilingCount, delayAfterMs }

/** All known devices of an account. No wait: one of them must not make another wait. */
export const knownRule: CounterRule = { ceilingCount: knownCeilingCount, delayAfterMs: () => 0 }
