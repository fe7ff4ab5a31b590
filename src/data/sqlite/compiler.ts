import { type LimitNode, SqliteQueryCompiler, ValueNode } from 'kysely'

/**
 * Kysely's compiler, but for one thing: a bound `limit` is hidden from SQLite's planner behind a sum. The planner reads
 * the value of a parameter that is the whole limit, and prepares the statement again each time it is bound anew, which
 * costs more than most reads do.
 *
 * @see https://sqlite.org/src/file/src/select.c, computeLimitRegisters
 */
export class PlannedOnceCompiler extends SqliteQueryCompiler {
  protected override visitLimit(node: LimitNode): void {
    super.visitLimit(node)
    if (ValueNode.is(node.limit) && node.limit.immediate !== true) this.append(' + 0')
  }
}
