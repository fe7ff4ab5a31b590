import type { Scope } from '../../src/data/index.ts'
import { type Expected, type Outcome, outcomeText } from './outcome.ts'
import { type Made, sqlOf } from './queries.ts'
import { differing, textOf } from './rows-in.ts'
import { type Rows, rowsOf, type World } from './world.ts'

/** The data layer and the reference do not agree. The message is a report. */
export class Disagreement extends Error {}

/** What was found to be wrong. */
export interface Finding {
  readonly problem: string
  readonly dialect: string
  readonly world: World
  readonly scope: Scope
  /** The query as the reference runs it. */
  readonly plain: Made
  readonly actual: Outcome
  readonly after: Rows
  readonly expected: Expected
  /** Why it had to be refused. */
  readonly must: readonly string[]
}

/** Everything that is needed to see what is wrong: schema, rows, caller, SQL and both answers. */
export function reportOf(finding: Finding): string {
  const { problem, dialect, world, scope, plain, actual, after, expected, must } = finding
  const { sql, parameters } = sqlOf(plain)
  return [
    `${problem} (${dialect}, kind: ${plain.kind})`,
    ...must.map((why) => `It must be refused: ${why}`),
    ...worldText(world, scope),
    `the query, as the reference runs it:\n${sql}\n${JSON.stringify(parameters)}`,
    `answer: ${outcomeText(actual)}`,
    `expected: ${outcomeText(expected)}`,
    ...(expected.is === 'answered' ? changes(world, after, expected.after) : []),
  ].join('\n')
}

/** Schema, rows and caller. */
export function worldText({ tables, rows }: World, scope: Scope): string[] {
  return [
    ...tables.map(({ name, resource: { row: _row, ...rules } }) => `${name}: ${JSON.stringify(rules)}`),
    ...tables.map(({ name }) => `${name}:\n${textOf(rowsOf(rows, name), true)}`),
    `caller: ${JSON.stringify({ ...scope, lifted: Object.fromEntries(scope.lifted) })}`,
  ]
}

function changes({ tables }: World, after: Rows, expected: Rows): string[] {
  return differing(tables, after, expected).map(
    ({ name }) =>
      `${name} afterwards:\n${textOf(rowsOf(after, name))}\n` +
      `${name} expected:\n${textOf(rowsOf(expected, name))}`,
  )
}
