import { createQueryId, type OperationNode, PostgresQueryCompiler, RawNode } from 'kysely'
import { assert } from '../../base/index.ts'
import { sha256 } from '../../crypto/index.ts'
import { type GrantedRule, type Resource, type RowAction, resourceOf } from '../resource.ts'
import { both, compare, either, type Predicate, selectWhere, sqlOf } from '../scoped/nodes.ts'
import {
  grantPredicate,
  insertPredicate,
  type Judging,
  type ParentLink,
  type RowTerms,
  rowAt,
  rowPredicate,
} from '../scoped/predicate.ts'
import { callerInSession, named, quoted, text } from './session-caller.ts'

/** Where the functions of the policies live; nothing else is there. */
export const policySchema = 'holdfast_rules'

/** The type of a column in the database: `text`, `uuid`. */
export type ColumnTypes = (table: string, column: string) => string

/**
 * The row rules as row-level security: the second wall. Policies speak about the row at hand; where a rule asks about
 * another table they call a function that is not subject to that table's own policies, or two tables that ask about
 * each other could never be read.
 */
export class PolicyWriter {
  readonly #resources: readonly Resource[]
  readonly #types: ColumnTypes
  readonly #role: string
  /** The functions that the policies call, by name. */
  readonly #functions = new Map<string, string>()

  /** @param role The role of the application, for which the policies are. */
  constructor(resources: readonly Resource[], types: ColumnTypes, role: string) {
    this.#resources = resources
    this.#types = types
    this.#role = role
  }

  /** The statements, in order. Run them in one transaction: in between everything is closed. */
  statements(): string[] {
    const tables = this.#resources.flatMap((resource) => this.#table(resource))
    return [
      `create schema ${policySchema}`,
      `grant usage on schema ${policySchema} to ${named(this.#role)}`,
      ...[...this.#functions].flatMap(([name, body]) => [
        body,
        // Functions are for everybody unless that is taken back.
        `revoke all on function ${name} from public`,
        `grant execute on function ${name} to ${named(this.#role)}`,
      ]),
      ...tables,
    ]
  }

  #table(resource: Resource): string[] {
    const table = named(resource.table)
    const judging = this.#judging()
    const row = bareRow(resource)
    const may = (action: RowAction | 'transfer'): string => sql(rowPredicate(judging, resource, action, row))
    const isShared = resource.owner.kind === 'shared'
    const policy = (command: string, clause: string): string =>
      `create policy holdfast_${command} on ${table} for ${command} to ${named(this.#role)} ${clause}`
    return [
      `alter table ${table} enable row level security`,
      `revoke all on ${table} from ${named(this.#role)}`,
      `grant ${isShared ? 'select' : 'select, insert, update, delete'} on ${table} to ${named(this.#role)}`,
      policy('select', `using (${may('read')})`),
      ...(isShared
        ? []
        : [
            policy('insert', `with check (${sql(this.#newRow(resource, row))})`),
            policy('update', `using (${this.#changeable(resource, row)}) with check (${may('read')})`),
            policy('delete', `using (${may('delete')})`),
          ]),
    ]
  }

  /** A new row is the caller's, in their tenant, and fits the rules about new rows. */
  #newRow(resource: Resource, row: RowTerms): Predicate {
    const { owner, tenant } = resource
    return both(
      owner.kind === 'column' ? callerInSession.isUser(row.column(owner.column)) : true,
      tenant === undefined ? true : callerInSession.isTenant(row.column(tenant)),
      insertPredicate(this.#judging(), resource, row),
    )
  }

  #changeable(resource: Resource, row: RowTerms): string {
    const judging = this.#judging()
    const update = rowPredicate(judging, resource, 'update', row)
    if (resource.transfer === undefined) return sql(update)
    return sql(either([update, rowPredicate(judging, resource, 'transfer', row)]))
  }

  #judging(): Judging {
    return {
      resources: this.#resources,
      caller: callerInSession,
      reach: {
        parent: (link, row) => this.#parent(link, row.column(link.column)),
        grant: (rule, key) => this.#grant(rule, key),
      },
    }
  }

  #parent({ table, action }: ParentLink, key: OperationNode): Predicate {
    const resource = resourceOf(this.#resources, table)
    const name = `${policySchema}.${named(`may_${action}_${table}`)}`
    const type = this.#types(table, resource.key)
    if (!this.#functions.has(`${name}(${type})`)) {
      // Known before its body is written: rules of two tables can ask about each other.
      this.#functions.set(`${name}(${type})`, '')
      const where = both(
        compare(rowAt(table).column(resource.key), '=', text('$1')),
        rowPredicate(this.#judging(), resource, action, rowAt(table)),
      )
      this.#functions.set(`${name}(${type})`, definer(`${name}(${type})`, table, where))
    }
    return RawNode.create([`${name}((`, `)::${type})`], [key])
  }

  #grant(rule: GrantedRule, key: OperationNode): Predicate {
    const { reach: _reach, ...judging } = this.#judging()
    const type = this.#types(rule.table, rule.row)
    const which = sha256(JSON.stringify(rule)).toString('hex').slice(0, 12)
    const name = `${policySchema}.${named(`granted_${rule.table.slice(0, 30)}_${which}`)}`
    const condition = grantPredicate(judging, rule, text('$1'), 0)
    this.#functions.set(`${name}(${type})`, definerOf(`${name}(${type})`, sql(condition)))
    return RawNode.create([`${name}((`, `)::${type})`], [key])
  }
}

/** A row by the bare names of its columns, as a policy sees it. */
function bareRow(resource: Resource): RowTerms {
  return { column: (name) => text(`${named(resource.table)}.${named(name)}`) }
}

function definer(signature: string, table: string, where: Predicate): string {
  return definerOf(signature, `exists (${compiled(selectWhere(table, where))})`)
}

// Runs as the owner of the tables: the policies of the tables it reads do not hold for it. The search path is fixed,
// so that nobody can put a table of the same name in front (CVE-2018-1058).
function definerOf(signature: string, condition: string): string {
  const body = `select coalesce((${condition}), false)`
  return (
    `create function ${signature} returns boolean language sql stable security definer ` +
    `set search_path = public, pg_temp as ${quoted(body)}`
  )
}

function sql(predicate: Predicate): string {
  const select = compiled(selectWhere('x', both(sqlOf(predicate))))
  return select.slice(select.indexOf(' where ') + ' where '.length)
}

/** SQL with its fixed values written into it: a policy takes no parameters. */
function compiled(node: ReturnType<typeof selectWhere>): string {
  const { sql: withPlaces, parameters } = new PolicyCompiler().compileQuery(node, createQueryId())
  assert(parameters.length === 0, 'a policy takes no parameters')
  return withPlaces
}

class PolicyCompiler extends PostgresQueryCompiler {
  protected override appendValue(parameter: unknown): void {
    if (typeof parameter === 'number') this.append(String(parameter))
    else this.append(quoted(String(parameter)))
  }
}
