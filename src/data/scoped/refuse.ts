import { Problem } from '../../errors/index.ts'

/** A query that the row rules cannot be applied to. It never reaches the database. */
export function refusal(why: string): Problem {
  return new Problem('INTERNAL', `the query is refused: ${why}`)
}
