import { changeInWith, remove, update } from './changes.ts'
import { Choices } from './choices.ts'
import { insertInWith, insertSelected, insertValues, type MadeInsert } from './inserts.ts'
import type { MadeSelect, Making } from './making.ts'
import { select, wholeSelect } from './selects.ts'
import type { MadeWrite } from './target.ts'
import type { Row } from './world.ts'

/** The kinds of queries, which are counted apart. */
export const kinds = [
  'select',
  'update',
  'delete',
  'insert',
  'insert from select',
  'change in with',
  'insert in with',
] as const

/** A kind of query. */
export type Kind = (typeof kinds)[number]

/** A query of any kind. */
export type Made =
  | { readonly kind: 'select'; readonly query: MadeSelect }
  | { readonly kind: 'update' | 'delete' | 'change in with'; readonly query: MadeWrite }
  | { readonly kind: 'insert' | 'insert from select' | 'insert in with'; readonly query: MadeInsert }

/** What a query is made in, but for its decisions. */
export type Surroundings = Omit<Making, 'choices' | 'nextNumber' | 'subquery' | 'canJoinOuter'>

/** How many decisions a query takes at most. */
export const queryNumbers = 300

/** Makes the query of some decisions: the same one each time, but for its literals. */
export function madeQuery(numbers: readonly number[], surroundings: Surroundings): Made {
  const choices = new Choices(numbers)
  let number = 0
  const making: Making = {
    ...surroundings,
    choices,
    nextNumber: () => number++,
    subquery: select,
    canJoinOuter: true,
  }
  const kind = choices.weighted({
    select: 50,
    update: 16,
    delete: 10,
    insert: 14,
    'insert from select': 8,
    'change in with': making.dialect === 'postgres' ? 5 : 0,
    'insert in with': making.dialect === 'postgres' ? 4 : 0,
  })
  switch (kind) {
    case 'select':
      return { kind, query: wholeSelect(making) }
    case 'update':
      return { kind, query: update(making) }
    case 'delete':
      return { kind, query: remove(making) }
    case 'insert':
      return { kind, query: insertValues(making) }
    case 'insert from select':
      return { kind, query: insertSelected(making) }
    case 'change in with':
      return { kind, query: changeInWith(making) }
    case 'insert in with':
      return { kind, query: insertInWith(making) }
    default:
      return kind satisfies never
  }
}

/** Runs a query: its rows, or how many it has changed. */
export function runOf(made: Made): Promise<readonly Row[]> {
  return 'run' in made.query ? made.query.run() : made.query.query.execute()
}

/** The SQL of a query. */
export function sqlOf(made: Made): { readonly sql: string; readonly parameters: readonly unknown[] } {
  return 'run' in made.query ? made.query.compile() : made.query.query.compile()
}
