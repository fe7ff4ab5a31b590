const firstRetryMs = 5_000
const longestRetryMs = 3_600_000
// Past the server's time to answer, and a good deal: whoever holds a mail longer has died.
const leaseMs = 120_000
const attemptMs = 60_000
const closeMs = 5_000
const lifetimeMs = 24 * 3_600_000
const attemptMaxCount = 40

/** When mails are tried, and for how long. */
export interface MailSchedule {
  /** How long one attempt may take. */
  readonly attemptMs: number
  /** How long a mail belongs to the process that has taken it; longer than an attempt. */
  readonly leaseMs: number
  /** How long the attempts that run when the outbox closes may still take. */
  readonly closeMs: number
  /** How long a mail is tried at all. The times between attempts make it about 33 of them. */
  readonly lifetimeMs: number
  /** How often it is tried at most: for mails that bring down the process, which therefore come to no end in time. */
  readonly attemptMaxCount: number
}

/** A minute for an attempt, a day for a mail. */
export const defaultSchedule: MailSchedule = { attemptMs, leaseMs, closeMs, lifetimeMs, attemptMaxCount }

/**
 * How long to wait after an attempt: twice as long each time, an hour at most, and a quarter more or less by chance,
 * so that not every mail comes back at once when a mail server does.
 *
 * @param attemptCount How many there were.
 * @param chance From 0 to 1.
 */
export function retryWaitMs(attemptCount: number, chance: number): number {
  const waitMs = Math.min(longestRetryMs, firstRetryMs * 2 ** (attemptCount - 1))
  return Math.round(waitMs * (0.75 + chance / 2))
}
