import type { CreateTableBuilder, Kysely } from 'kysely'
import { madeKey } from './expected-insert.ts'
import { type Cell, type Row, type Rows, rowsOf, type Table, type Tables } from './world.ts'

/** Makes the tables of a world. */
export async function createTables(db: Kysely<Tables>, tables: readonly Table[]): Promise<void> {
  for (const { name, columns, key, unique } of tables) {
    let create: CreateTableBuilder<string, string> = db.schema.createTable(name)
    for (const column of columns) {
      create = create.addColumn(column.name, column.type, (one) => {
        if (column.name === key) return one.primaryKey().notNull()
        return column.name === unique ? one.unique() : one
      })
    }
    await create.execute()
  }
}

/** Takes the tables of every world away. */
export async function dropTables(db: Kysely<Tables>): Promise<void> {
  for (const table of await db.introspection.getTables()) {
    await db.schema.dropTable(table.name).cascade().execute()
  }
}

/** Puts rows in the place of those that a table has. */
export async function fill(db: Kysely<Tables>, table: string, rows: readonly Row[]): Promise<void> {
  await db.deleteFrom(table).execute()
  if (rows.length > 0) await db.insertInto(table).values(rows).execute()
}

/** Every row of every table. */
export async function allRows(db: Kysely<Tables>, tables: readonly Table[]): Promise<Rows> {
  const rows = new Map<string, readonly Row[]>()
  for (const { name } of tables) rows.set(name, await db.selectFrom(name).selectAll().execute())
  return rows
}

/** The tables whose rows are not the same, in whatever order. */
export function differing(tables: readonly Table[], left: Rows, right: Rows): Table[] {
  return tables.filter(({ name }) => textOf(rowsOf(left, name)) !== textOf(rowsOf(right, name)))
}

/** Rows as text, the same for the same rows. In their order, or whatever their order. */
export function textOf(rows: readonly Row[], isOrdered = false): string {
  const texts = rows.map(rowText)
  return (isOrdered ? texts : texts.sort()).join('\n')
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/

function rowText(row: Row): string {
  const cells = Object.entries(row).map(([name, cell]): [string, Cell] => [
    name,
    typeof cell === 'string' && uuid.test(cell) ? madeKey : cell,
  ])
  return JSON.stringify(Object.fromEntries(cells.sort(([left], [right]) => (left < right ? -1 : 1))))
}
