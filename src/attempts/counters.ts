import type { MigrationDatabase } from '../data/index.ts'
import { type CounterRule, ceilingCount, longestFromCount } from './growth.ts'
import { attemptsTable } from './migration.ts'

/** The answer of a counter about one attempt. */
export type Turn =
  | { readonly isTaken: true; readonly failedCount: number; readonly takenAtMs: number }
  | { readonly isTaken: false; readonly isAtCeiling: boolean; readonly waitMs: number }

const keptMs = 400 * 86_400_000

/**
 * Counters of failures in a row, in the database: every node sees them and no restart forgets them.
 *
 * Whoever tries names at random makes rows, so their number has a bound. Past it go those with the fewest failures
 * first, so that pushing out a counter takes as many failures on each of `rowCount` others: a flood of new names
 * never frees an account under attack.
 */
export class FailureCounters {
  readonly #db: MigrationDatabase
  readonly #rowCount: number

  constructor(db: MigrationDatabase, rowCount: number) {
    this.#db = db
    this.#rowCount = rowCount
  }

  /**
   * Takes one of the turns that a key has left. Looking and counting are one statement, so that of any number at once
   * no more pass than may.
   *
   * @see GHSA-984p-xq9m-4rjw (attempts that raced the limit); OWASP ASVS 5.0 §15.4.2
   */
  async take(key: string, rule: CounterRule, nowMs: number): Promise<Turn> {
    const after = (failedCount: number): string => iso(nowMs + rule.delayAfterMs(failedCount))
    const taken = await this.#db
      .insertInto(attemptsTable)
      .values({ key, failedCount: 1, nextAt: after(1), lastAt: iso(nowMs) })
      .onConflict((conflict) =>
        conflict
          .column('key')
          .doUpdateSet((eb) => {
            const before = eb.ref(`${attemptsTable}.failedCount`)
            let next = eb.case().when(before, '<', 1).then(after(1))
            for (let count = 1; count < longestFromCount; count += 1)
              next = next.when(before, '=', count).then(after(count + 1))
            return {
              failedCount: eb(before, '+', 1),
              nextAt: next.else(after(longestFromCount)).end(),
              lastAt: iso(nowMs),
            }
          })
          .where(`${attemptsTable}.nextAt`, '<=', iso(nowMs))
          .where(`${attemptsTable}.failedCount`, '<', rule.ceilingCount),
      )
      .returning('failedCount')
      .executeTakeFirst()
    if (taken !== undefined)
      return { isTaken: true, failedCount: Number(taken['failedCount']), takenAtMs: nowMs }
    return await this.#refusal(key, rule, nowMs)
  }

  async #refusal(key: string, rule: CounterRule, nowMs: number): Promise<Turn> {
    const row = await this.#db
      .selectFrom(attemptsTable)
      .select(['failedCount', 'nextAt'])
      .where('key', '=', key)
      .executeTakeFirst()
    // Somebody has logged in since: the next attempt passes.
    if (row === undefined) return { isTaken: false, isAtCeiling: false, waitMs: 0 }
    const isAtCeiling = Number(row['failedCount']) >= rule.ceilingCount
    const waitMs = Date.parse(String(row['nextAt'])) - nowMs
    // There is no moment from which it would pass. Whoever asks is told the longest wait, and no more than that.
    return {
      isTaken: false,
      isAtCeiling,
      waitMs: isAtCeiling ? rule.delayAfterMs(rule.ceilingCount) : waitMs,
    }
  }

  /**
   * Gives a turn back. The wait that it began ends, but not one that a later attempt has begun since: otherwise
   * attempts that the server had no room for would take the wait from those that it had room for.
   */
  async giveBack(key: string, takenAtMs: number): Promise<void> {
    await this.#db
      .updateTable(attemptsTable)
      .set((eb) => ({
        failedCount: eb('failedCount', '-', 1),
        nextAt: eb
          .case()
          .when('lastAt', '=', iso(takenAtMs))
          .then(iso(takenAtMs))
          .else(eb.ref('nextAt'))
          .end(),
      }))
      .where('key', '=', key)
      .where('failedCount', '>', 0)
      .execute()
  }

  /** Ends rows of failures. @param db May be a transaction. */
  async end(keys: readonly string[], db: MigrationDatabase = this.#db): Promise<void> {
    await db.deleteFrom(attemptsTable).where('key', 'in', keys).execute()
  }

  /** Deletes what nobody has touched for 400 days, but no password that waits for its reset; and holds the bound. */
  async clean(nowMs: number): Promise<void> {
    await this.#db
      .deleteFrom(attemptsTable)
      .where('lastAt', '<', iso(nowMs - keptMs))
      .where('failedCount', '<', ceilingCount)
      .execute()
    const counted = await this.#db
      .selectFrom(attemptsTable)
      .select((eb) => eb.fn.countAll().as('rowCount'))
      .executeTakeFirst()
    const excessCount = Number(counted?.['rowCount'] ?? 0) - this.#rowCount
    if (excessCount <= 0) return
    await this.#db
      .deleteFrom(attemptsTable)
      .where('key', 'in', (eb) =>
        eb
          .selectFrom(attemptsTable)
          .select('key')
          .orderBy('failedCount')
          .orderBy('lastAt')
          .limit(excessCount),
      )
      .execute()
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
