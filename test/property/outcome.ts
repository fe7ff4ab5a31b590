import { Problem } from '../../src/errors/index.ts'
import { textOf } from './rows-in.ts'
import type { Row, Rows } from './world.ts'

/** What came of a query. */
export type Outcome =
  | { readonly is: 'answered'; readonly rows: readonly Row[] }
  | { readonly is: 'refused'; readonly why: string }
  /** The database did not understand it, or something is taken or missing. */
  | { readonly is: 'failed'; readonly isInvalid: boolean; readonly why: string }

/** What has to come of a query. */
export type Expected =
  | {
      readonly is: 'answered'
      readonly rows: readonly Row[]
      readonly after: Rows
      readonly isOrdered: boolean
      /** Whether row policies, where there are any, refuse all of it. */
      readonly isBlocked: boolean
    }
  | { readonly is: 'refused' }
  | { readonly is: 'failed' }
  /** The databases differ about it. */
  | { readonly is: 'open' }

/** What comes of a query. @throws what is no problem: a bug of the test itself */
export async function outcomeOf(run: () => Promise<readonly Row[]>): Promise<Outcome> {
  try {
    return { is: 'answered', rows: await run() }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const isUnscoped = error.code === 'INTERNAL' && error.reason.startsWith('the query is refused')
    // A caller without a tenant adds no row of a tenant: that is an answer to the caller, and no bug of the handler.
    const isRefused = isUnscoped || error.code === 'FORBIDDEN'
    const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
    const why = `${error.message}${cause}`
    if (isRefused) return { is: 'refused', why }
    return { is: 'failed', isInvalid: error.code !== 'CONFLICT' && error.code !== 'NOT_FOUND', why }
  }
}

/** What a promise gives; `undefined` when the database does not understand what it is asked. */
export async function problemless<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

/** An outcome for a person. */
export function outcomeText(outcome: Outcome | Expected): string {
  if (outcome.is === 'answered') return `${outcome.rows.length} rows\n${textOf(outcome.rows, true)}`
  return 'why' in outcome ? `${outcome.is}: ${outcome.why}` : outcome.is
}
