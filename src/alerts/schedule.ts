const firstRetryMs = 5_000
const longestRetryMs = 3_600_000

/** When deliveries are attempted, and for how long. */
export interface DeliverySchedule {
  /** How long one attempt may take. */
  readonly attemptMs: number
  /** How long a delivery belongs to the process that has taken it; longer than an attempt. */
  readonly leaseMs: number
  /** How long the attempts that run when the worker ends may still take. */
  readonly closeMs: number
  /** How long a delivery is attempted at all. */
  readonly lifetimeMs: number
  /** How often at most: for what brings down the process, and therefore comes to no end in time. */
  readonly attemptMaxCount: number
  /** How often the worker looks for what was put off, and for what others have left behind. */
  readonly lookEveryMs: number
}

/** Ten seconds for an attempt, a day for a delivery: about 33 attempts. */
export const defaultSchedule: DeliverySchedule = {
  attemptMs: 10_000,
  leaseMs: 60_000,
  closeMs: 3_000,
  lifetimeMs: 24 * 3_600_000,
  attemptMaxCount: 40,
  lookEveryMs: 5_000,
}

/**
 * How long to wait after an attempt: twice as long each time, an hour at most, and a quarter more or less by chance.
 *
 * @param attemptCount How many there were.
 * @param chance From 0 to 1.
 */
export function retryWaitMs(attemptCount: number, chance: number): number {
  const waitMs = Math.min(longestRetryMs, firstRetryMs * 2 ** (attemptCount - 1))
  return Math.round(waitMs * (0.75 + chance / 2))
}
