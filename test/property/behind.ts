import pg from 'pg'
import type { Scope } from '../../src/data/index.ts'
import { Judge } from './judge.ts'
import type { Cell, Row, Table, World } from './world.ts'

/** A statement that the policies did not decide as plain code does. */
export interface Difference {
  readonly what: string
  readonly found: string
  readonly expected: string
}

/** A session of the application's role, as somebody who has got past the rewriting has it. */
export class Intruder {
  readonly #client: pg.Client
  readonly #world: World
  readonly #scope: Scope
  readonly #judge: Judge
  /** How many statements have been tried. */
  count = 0

  constructor(client: pg.Client, world: World, scope: Scope) {
    this.#client = client
    this.#world = world
    this.#scope = scope
    this.#judge = new Judge(world.tables, world.rows, scope)
  }

  /** Tries to read, change, delete and add rows of every table. Nothing of it stays. */
  async differences(): Promise<Difference[]> {
    const found: Difference[] = []
    for (const table of this.#world.tables) {
      for (const attempt of [...this.#attempts(table), ...this.#inserts(table)]) {
        const outcome = await this.#try(attempt.statement, attempt.values)
        if (outcome !== attempt.expected)
          found.push({
            what: `${attempt.statement} ${attempt.values.join()}`,
            found: outcome,
            expected: attempt.expected,
          })
      }
    }
    return found
  }

  #attempts(table: Table): Attempt[] {
    const { name, resource } = table
    const key = `"${table.key}"`
    const keys = (may: (row: Row) => boolean): string =>
      (this.#world.rows.get(name) ?? [])
        .flatMap((row) => (may(row) ? [row[table.key]] : []))
        .sort()
        .join()
    const may = (action: 'read' | 'update' | 'delete' | 'transfer', row: Row) =>
      this.#judge.may(action, name, row)
    const isShared = resource.owner.kind === 'shared'
    return [
      {
        statement: `select ${key} as key from "${name}"`,
        values: [],
        expected: keys((row) => may('read', row)),
      },
      {
        statement: `update "${name}" set n = n returning ${key} as key`,
        values: [],
        // The policies do not see which columns an update sets: a transfer is an update to them.
        expected: isShared
          ? refused
          : keys(
              (row) =>
                may('read', row) &&
                (may('update', row) || (resource.transfer !== undefined && may('transfer', row))),
            ),
      },
      {
        statement: `delete from "${name}" returning ${key} as key`,
        values: [],
        expected: isShared ? refused : keys((row) => may('delete', row)),
      },
    ]
  }

  /** New rows like those that are there: as they are, and as if they were the caller's. */
  #inserts(table: Table): Attempt[] {
    const { name, columns, key, unique, resource } = table
    const { owner, tenant } = resource
    const { userId, tenantId } = this.#scope
    const names = columns.map((column) => `"${column.name}"`).join(', ')
    const places = columns.map((_, index) => `$${index + 1}`).join(', ')
    const like = (this.#world.rows.get(name) ?? []).slice(0, 3)
    const own = {
      ...(owner.kind === 'column' ? { [owner.column]: userId } : {}),
      ...(tenant ? { [tenant]: tenantId } : {}),
    }
    return [...like, ...like.map((row) => ({ ...row, ...own }))].map((row) => {
      const added: Row = { ...row, [key]: 'new', ...(unique === undefined ? {} : { [unique]: null }) }
      const isOwn = owner.kind !== 'column' || (userId !== null && added[owner.column] === userId)
      const isInTenant = tenant === undefined || (tenantId !== null && added[tenant] === tenantId)
      const fits = owner.kind !== 'shared' && isOwn && isInTenant && this.#judge.mayInsert(name, added)
      return {
        statement: `insert into "${name}" (${names}) values (${places})`,
        values: columns.map((column) => added[column.name] ?? null),
        expected: fits ? '' : refused,
      }
    })
  }

  /** The keys of the rows that a statement gives; nothing of it stays. */
  async #try(statement: string, values: readonly Cell[]): Promise<string> {
    this.count += 1
    const { userId, tenantId, roles, lifted } = this.#scope
    const opened = [...lifted].map(([table, which]) => [table, which === 'all' ? true : which.key])
    await this.#client.query('begin')
    try {
      await this.#client.query(identity, [
        userId ?? '',
        tenantId ?? '',
        JSON.stringify(roles),
        JSON.stringify(Object.fromEntries(opened)),
      ])
      const { rows } = await this.#client.query<{ key: string }>(statement, [...values])
      return rows
        .map(({ key }) => key)
        .sort()
        .join()
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code === '42501') return refused
      throw error
    } finally {
      await this.#client.query('rollback')
    }
  }
}

interface Attempt {
  readonly statement: string
  readonly values: readonly Cell[]
  /** The keys of the rows that it gives, or that it is refused. */
  readonly expected: string
}

const refused = 'refused'

const identity =
  "select set_config('holdfast.user', $1, true), set_config('holdfast.tenant', $2, true), " +
  "set_config('holdfast.roles', $3, true), set_config('holdfast.lifted', $4, true)"
