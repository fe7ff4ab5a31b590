import type { Page, Pager } from '../data/index.ts'
import { type Account, administratorRole } from './account.ts'
import { accountsTable } from './migration.ts'
import type { AccountsParts } from './parts.ts'
import { accountOf } from './store.ts'

/** Which accounts, and where the page begins. */
export interface AccountSearch {
  /** The beginning of an address, or of a name. */
  readonly search?: string | undefined
  readonly role?: string | undefined
  readonly disabled?: boolean | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

/** One page of accounts, newest first. @throws VALIDATION_FAILED for a cursor of another list or caller */
export async function listAccounts(
  { db }: Pick<AccountsParts, 'db'>,
  { search, role, disabled, limit, cursor }: AccountSearch,
  page: Pager,
): Promise<Page<Account>> {
  let query = db.selectFrom(accountsTable).selectAll()
  if (search !== undefined) {
    const beginning = search.toLowerCase()
    const length = [...beginning].length
    // Compared as text, not as a pattern: a percent sign looks for a percent sign.
    query = query.where((eb) =>
      eb.or(
        (['email', 'name'] as const).map((column) =>
          eb(eb.fn('substr', [eb.fn('lower', [column]), eb.lit(1), eb.lit(length)]), '=', beginning),
        ),
      ),
    )
  }
  if (role === administratorRole) query = query.where('isAdministrator', '=', 1)
  else if (role !== undefined)
    query = query.where((eb) =>
      eb(eb.fn('replace', ['roles', eb.val(JSON.stringify(role)), eb.val('')]), '<>', eb.ref('roles')),
    )
  if (disabled !== undefined) query = query.where('disabledAt', disabled ? 'is not' : 'is', null)
  const found = await page(query, {
    by: [
      ['createdAt', 'desc'],
      ['id', 'desc'],
    ],
    limit,
    cursor,
  })
  return { items: found.items.map(accountOf), nextCursor: found.nextCursor }
}
