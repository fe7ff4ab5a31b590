import fc from 'fast-check'
import type { Scope } from '../../src/data/index.ts'
import { Choices, numbers } from './choices.ts'
import { mostRows, schema } from './schema.ts'
import {
  type Cell,
  type Column,
  integers,
  type Row,
  roles,
  type Table,
  tenants,
  users,
  type World,
} from './world.ts'

/** The decisions about a world, each part with its own: a smaller schema does not change the rows. */
export const worldNumbers: fc.Arbitrary<WorldNumbers> = fc.record({
  rows: numbers(360),
  callers: numbers(24),
  schema: numbers(300),
})

/** The decisions about a world. */
export interface WorldNumbers {
  readonly schema: readonly number[]
  readonly rows: readonly number[]
  readonly callers: readonly number[]
}

/** Tables, rows and callers, of decisions. */
export function world(decisions: WorldNumbers): World {
  const callers = new Choices(decisions.callers)
  const tables = schema(new Choices(decisions.schema))
  const first = caller(callers, tables)
  return {
    tables,
    rows: population(new Choices(decisions.rows), tables),
    callers: [first, callers.chance(50) ? alike(callers, first) : caller(callers, tables)],
  }
}

function population(choices: Choices, tables: readonly Table[]): Map<string, readonly Row[]> {
  return new Map(
    tables.map((table) => {
      const count = choices.below(mostRows + 1)
      return [table.name, Array.from({ length: count }, (_, index) => row(choices, table, index))]
    }),
  )
}

function row(choices: Choices, table: Table, index: number): Row {
  return Object.fromEntries(
    table.columns.map((column) => [
      column.name,
      column.name === table.key ? (column.values[index] ?? null) : cell(choices, table, column, index),
    ]),
  )
}

function cell(choices: Choices, table: Table, column: Column, index: number): Cell {
  const roll = choices.below(100)
  if (column.name === table.unique) return roll < 60 ? (column.values[index] ?? null) : null
  // A revision or a time that is null stays null at a change, and tells nothing.
  if (table.resource.server[column.name] === undefined && roll >= 92) return null
  return column.values[roll % column.values.length] ?? null
}

function caller(choices: Choices, tables: readonly Table[]): Scope {
  const userId = choices.chance(8) ? null : choices.pick(users)
  const tenantId = choices.chance(10) ? null : choices.pick(tenants)
  const lifted: Map<string, { key: string } | 'all'> = new Map()
  for (const table of choices.chance(25) ? choices.some(tables, 40) : []) {
    const isAll = choices.chance(30)
    lifted.set(table.name, isAll ? 'all' : { key: keyIn(choices, table) })
  }
  const held = choices.some(roles, 35)
  const versioned = tables.filter(({ columns }) => columns.some(({ name }) => name === 'rev'))
  const table = choices.chance(30) ? choices.any(versioned) : undefined
  if (table === undefined) return { userId, tenantId, roles: held, lifted }
  const expected = { table: table.name, key: keyIn(choices, table), revision: choices.pick(integers) }
  return { userId, tenantId, roles: held, lifted, expected }
}

/** Somebody else whose queries have the same compiled form: only values differ. */
function alike(choices: Choices, { userId, tenantId, roles: held, lifted, expected }: Scope): Scope {
  return {
    ...(expected === undefined ? {} : { expected: { ...expected, revision: choices.pick(integers) } }),
    userId: userId === null ? null : choices.pick(users),
    tenantId: tenantId === null ? null : choices.pick(tenants),
    roles: held,
    lifted: new Map(
      [...lifted].map(([table, which]) => [table, which === 'all' ? which : { key: `${table}2` }]),
    ),
  }
}

function keyIn(choices: Choices, { columns, key }: Table): string {
  const values = columns.find(({ name }) => name === key)?.values ?? []
  return String(choices.any(values) ?? '')
}
