import type { AuditTrail } from '../audit/index.ts'
import { type MigrationDatabase, withRetries } from '../data/index.ts'
import type { EmitEvent } from '../events/index.ts'

/** The transaction in which a response, what it does and what is told of it are written. */
export interface ResponseTransaction {
  /** Everything that an action writes, it writes here. */
  readonly db: MigrationDatabase
  readonly note: EmitEvent
  /** The time of the transaction, in milliseconds since 1970; one for all that it writes. */
  readonly nowMs: number
  /** Runs something once it is committed: what this node knows in memory. Other nodes read the tables. */
  afterCommit(task: () => Promise<void>): void
}

/** What transactions are run with. */
export interface TransactionParts {
  readonly trail: Pick<AuditTrail, 'transact'>
  /** Told of what went wrong after a commit; what was committed stands. */
  readonly onFailure: (error: unknown) => void
  readonly nowMs: () => number
}

/** Runs in one transaction, and then what is to be done after its commit. @throws what `work` and the database do */
export async function inTransaction<T>(
  { trail, onFailure, nowMs }: TransactionParts,
  work: (tx: ResponseTransaction) => Promise<T>,
): Promise<T> {
  const { done, tasks } = await withRetries(() =>
    trail.transact(async (db, note) => {
      const tasks: (() => Promise<void>)[] = []
      const afterCommit = (task: () => Promise<void>): void => void tasks.push(task)
      const done = await work({ db, note, nowMs: nowMs(), afterCommit })
      return { done, tasks }
    }),
  )
  for (const task of tasks) {
    try {
      await task()
    } catch (error) {
      onFailure(error)
    }
  }
  return done
}

/** The time as tables hold it. */
export function timeAt(nowMs: number): string {
  return new Date(nowMs).toISOString()
}
