import { NoResultError } from 'kysely'

/** True for what `executeTakeFirstOrThrow()` throws when there is no row. */
export function isNoRow(error: unknown): boolean {
  return error instanceof NoResultError
}
