import { Problem } from '../errors/index.ts'
import { administratorRole } from './account.ts'
import type { AccountsParts } from './parts.ts'
import { accountById } from './store.ts'

/** Who orders a change: an administrator, whoever runs the command line on the server, or a detector. */
export type Actor =
  | { readonly kind: 'administrator'; readonly id: string }
  | { readonly kind: 'operator' }
  | { readonly kind: 'detector' }

/** The part of an event that says who did it. */
export function actorOf(actor: Actor): { readonly actorId?: string } {
  return actor.kind === 'administrator' ? { actorId: actor.id } : {}
}

/** The caller may have lost the role, or the account, since the token was signed. @throws FORBIDDEN */
export async function requireStillAdministrator(db: AccountsParts['db'], actor: Actor): Promise<void> {
  if (actor.kind !== 'administrator') return
  const account = await accountById(db, actor.id)
  if (account === null || account.disabledAt !== null || !account.roles.includes(administratorRole))
    throw new Problem('FORBIDDEN', 'no administrator any more')
}
