import type { MigrationDatabase } from '../data/index.ts'
import type { Account } from './account.ts'
import { accountsTable } from './migration.ts'
import { accountOf } from './store.ts'

const pageCount = 500

/** Every account, oldest first, in pages: for jobs that look at all of them. */
export async function* eachAccount(db: MigrationDatabase): AsyncGenerator<readonly Account[]> {
  let last: Account | undefined
  for (;;) {
    let query = db.selectFrom(accountsTable).selectAll().orderBy('createdAt').orderBy('id').limit(pageCount)
    const after = last
    if (after !== undefined)
      query = query.where((eb) =>
        eb.or([
          eb('createdAt', '>', after.createdAt),
          eb.and([eb('createdAt', '=', after.createdAt), eb('id', '>', after.id)]),
        ]),
      )
    const page = (await query.execute()).map(accountOf)
    if (page.length > 0) yield page
    if (page.length < pageCount) return
    last = page.at(-1)
  }
}
