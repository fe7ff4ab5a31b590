import type { Compilable, CompiledQuery, Kysely, Transaction } from 'kysely'
import type { AnyTables, Database } from '../open.ts'
import type { RowGuard } from './guard.ts'

/** Holdfast's own tables inside the transaction of a request. */
export interface InRequest {
  /** Runs one query on Holdfast's own tables. */
  run(query: (tables: Kysely<AnyTables>) => Compilable<unknown>): Promise<readonly unknown[]>
  /** Takes a lock by name until the transaction ends; false when another transaction has it. */
  tryLock(name: string): Promise<boolean>
}

/** The unscoped side of a scoped transaction; handlers never see it. */
export function inRequest<Tables>(database: Database, trx: Transaction<Tables>, guard: RowGuard): InRequest {
  const run = async (compiled: CompiledQuery): Promise<readonly unknown[]> => {
    const { rows } = await trx.executeQuery(guard.admit(compiled))
    return rows
  }
  return {
    run: (query) => run(query(database.db).compile()),
    async tryLock(name) {
      // SQLite has one writer: whoever has begun to write has every lock.
      if (database.engine.kind === 'sqlite') return true
      const query = database.db.selectNoFrom((q) =>
        q
          .fn<boolean>('pg_try_advisory_xact_lock', [q.fn('hashtextextended', [q.val(name), q.lit(0)])])
          .as('taken'),
      )
      const [row] = await run(query.compile())
      return typeof row === 'object' && row !== null && 'taken' in row && row.taken === true
    },
  }
}
