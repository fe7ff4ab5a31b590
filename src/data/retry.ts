import { setTimeout as delay } from 'node:timers/promises'
import { isRetryable } from './retryable.ts'

const attemptCount = 5
const firstDelayMs = 10

/**
 * Runs a transaction, and runs it again when the database has chosen it as the one to give way: two transactions
 * that cannot both be as if they had run alone, or that wait for each other. Waits a little longer each time, by
 * chance, so that the two do not meet again.
 *
 * @param run Must do nothing that cannot be done twice but write to the database.
 * @throws what the last attempt threw
 */
export async function withRetries<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run()
    } catch (error) {
      if (attempt >= attemptCount || !isRetryable(error)) throw error
      await delay(firstDelayMs * 2 ** (attempt - 1) * (0.5 + Math.random()))
    }
  }
}
