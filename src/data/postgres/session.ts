import type pg from 'pg'
import { Problem } from '../../errors/index.ts'
import { Batch, type Statement, type StatementOutcome } from './batch.ts'
import { isConnectionLost, isPlanStale, problemOf } from './failure.ts'
import { PreparedNames } from './prepared-names.ts'

/** One connection to PostgreSQL, and what is known of its state. */
export class Session {
  readonly client: pg.PoolClient
  readonly #names = new PreparedNames()
  readonly #answerMs: number
  /** True between `begin` and the end of its transaction. */
  isInTransaction = false
  #isBroken = false
  #isRunning = false

  /** @param answerMs How long the server may be silent, in milliseconds. */
  constructor(client: pg.PoolClient, answerMs: number) {
    this.client = client
    this.#answerMs = answerMs
    // Without a listener a connection that breaks between two statements would end the process.
    client.on('error', () => {
      this.#isBroken = true
    })
  }

  /** Whether the next one may have it: nothing runs, nothing is open. */
  get isAtRest(): boolean {
    if (this.#isBroken || this.#isRunning || this.isInTransaction) return false
    // The server's own word: a statement may have been a "begin".
    return this.client.getTransactionStatus() === 'I'
  }

  /** Runs statements in one round trip. @throws Problem, see {@link problemOf} */
  async run(statements: readonly Statement[]): Promise<readonly StatementOutcome[]> {
    try {
      return await this.#send(statements)
    } catch (error) {
      return await this.#afterFailure(error, statements)
    }
  }

  async #afterFailure(
    error: unknown,
    statements: readonly Statement[],
  ): Promise<readonly StatementOutcome[]> {
    try {
      // A migration has changed a table under what was prepared. Refused before it ran, it can be sent again.
      const isAlone = !this.isInTransaction && this.client.getTransactionStatus() === 'I'
      if (this.#isBroken || !isAlone || !isPlanStale(error)) throw error
      this.#names.clear()
      const [, ...outcomes] = await this.#send([forgetPrepared, ...statements])
      return outcomes
    } catch (last) {
      if (isConnectionLost(last) || isPlanStale(last)) this.#isBroken = true
      throw problemOf(last)
    }
  }

  // Kysely sends the statements of one connection one after the other.
  async #send(statements: readonly Statement[]): Promise<readonly StatementOutcome[]> {
    if (this.#isBroken) throw new Problem('UNAVAILABLE', 'the connection is lost', { headers: retrySoon })
    const batch = new Batch(statements, this.#names)
    this.#isRunning = true
    const timer = setTimeout(() => {
      // Whatever comes now belongs to nobody: the connection cannot be used again.
      this.#isBroken = true
      batch.handleError(new Problem('UNAVAILABLE', 'the database fell silent', { headers: retrySoon }))
    }, this.#answerMs)
    try {
      this.client.query(batch)
      return await batch.outcome
    } finally {
      clearTimeout(timer)
      this.#isRunning = false
    }
  }
}

const retrySoon = { 'retry-after': '1' }
const forgetPrepared: Statement = { text: 'deallocate all', values: [], isRare: true }
