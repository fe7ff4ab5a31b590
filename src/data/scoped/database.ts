import {
  createQueryId,
  type Kysely,
  LimitNode,
  PostgresQueryCompiler,
  type QueryCompiler,
  SqliteQueryCompiler,
  ValueNode,
} from 'kysely'
import type { Database } from '../open.ts'
import type { Resource, RowAction } from '../resource.ts'
import { withRetries } from '../retry.ts'
import type { Scope } from '../scope.ts'
import { guardedKysely } from './executor.ts'
import { type Explanation, explainRow } from './explain.ts'
import { RowGuard } from './guard.ts'
import { both, columnOf, compare, selectWhere, value } from './nodes.ts'
import { hasSpecialColumns, selectionsOf } from './opaque.ts'
import { rowPredicate } from './predicate.ts'
import type { Rewriting } from './rewriting.ts'
import { Slot } from './slot.ts'
import { Templates } from './templates.ts'
import { type InRequest, inRequest } from './transaction.ts'
import type { Rewritten } from './transformer.ts'
import type { FieldVault } from './vault.ts'

/** What owned rows may be made with. */
export interface RowsOptions {
  /** Opens and seals encrypted columns. */
  readonly vault?: FieldVault | undefined
  /** Unix milliseconds, for `created` and `changed` columns. */
  readonly nowMs?: () => number
}

/** Which row, under which rules. */
export interface RowRequest {
  readonly scope: Scope
  readonly action: RowAction
  readonly key: string
}

/**
 * The rows of an application, each reached only by those whom its rules name. Made once; what it learns about the
 * shape of a query serves every caller.
 *
 * @example const rows = new OwnedRows(database, [Note, Share])
 * @see OWASP ASVS 5.0 §8.2.2, §8.3.1
 */
export class OwnedRows {
  readonly #database: Database
  readonly #resources: readonly Resource[]
  readonly #templates: Templates
  readonly #nowMs: () => number
  readonly #compiler: QueryCompiler

  constructor(database: Database, resources: readonly Resource[], options: RowsOptions = {}) {
    const { kind } = database.engine
    this.#database = database
    this.#resources = resources
    this.#nowMs = options.nowMs ?? Date.now
    this.#compiler = kind === 'sqlite' ? new SqliteQueryCompiler() : new PostgresQueryCompiler()
    this.#templates = new Templates({ resources, dialect: kind, vault: options.vault })
  }

  /**
   * The database as one caller may see it: Kysely whose every query is rewritten by the row rules before it is
   * compiled. What cannot be scoped is refused, raw SQL included.
   */
  as<Tables = never>(scope: Scope): Kysely<Tables> {
    const guard = new RowGuard(this.#templates, scope, this.#nowMs)
    return guardedKysely<Tables>(this.#database.engine, guard)
  }

  /**
   * Runs in one transaction: all of it is kept or nothing. Where the database asks one of two transactions to give
   * way, it is run again.
   *
   * @param run Gets the scoped database, and Holdfast's own tables beside it. Everything else it does must bear
   * being done twice.
   */
  async transaction<T, Tables = never>(
    scope: Scope,
    run: (db: Kysely<Tables>, own: InRequest) => Promise<T>,
  ): Promise<T> {
    return await withRetries(async () => {
      const guard = new RowGuard(this.#templates, scope, this.#nowMs)
      return await guardedKysely<Tables>(this.#database.engine, guard)
        .transaction()
        .execute(async (trx) => await run(trx, inRequest(this.#database, trx, guard)))
    })
  }

  /**
   * One row by its key, under the rules of an action; `undefined` when it is absent or not the caller's. A promise of it
   * where the database has to be waited for.
   */
  load(resource: Resource, { scope, action, key }: RowRequest): unknown {
    const guard = new RowGuard(this.#templates, scope, this.#nowMs)
    const shape = `row ${action} ${resource.table}`
    const template = this.#templates.remembered(shape, scope, this.#compiler, (rewriting) =>
      oneRow(resource, action, rewriting),
    )
    const found = this.#database.engine.run(guard.bind(template, [key], anySelect, loading), guard)
    return found instanceof Promise ? found.then(({ rows }) => rows[0]) : found.rows[0]
  }

  /** Why a caller may, or may not, do something to a row. Never part of a reply: it tells that the row is there. */
  async explain(resource: Resource, scope: Scope, key: string): Promise<Explanation> {
    return await explainRow(this.#database, this.#resources, this.#compiler, { resource, scope, key })
  }

  /** Whether a row is there at all, whoever's it is. For the log of refused accesses, never for a reply. */
  async exists({ table, key: column }: Resource, key: string): Promise<boolean> {
    const node = selectWhere(table, compare(columnOf(table, column), '=', value(key)))
    const { rows } = await this.#database.db.executeQuery(this.#compiler.compileQuery(node, createQueryId()))
    return rows.length > 0
  }
}

// What a driver reads of the tree of a query is that it only reads; the rest is in its text.
const anySelect = selectWhere('holdfast', true)
const loading = createQueryId()

/** `select … from table where key = ? and <the rules of the action> limit 1` */
function oneRow(resource: Resource, action: RowAction, rewriting: Rewriting): Rewritten {
  const key = value(new Slot(({ values }) => values[0]))
  const where = both(
    compare(columnOf(resource.table, resource.key), '=', key),
    rowPredicate(rewriting, resource, action),
  )
  return {
    node: {
      ...selectWhere(resource.table, where, selectionsOf(resource, resource.table, rewriting, true)),
      limit: LimitNode.create(ValueNode.createImmediate(1)),
    },
    consequences: { mustChangeCount: undefined, lifts: new Set(), opens: hasSpecialColumns(resource) },
  }
}
