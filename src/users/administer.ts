import { addressKey, newId } from '../base/index.ts'
import { Problem } from '../errors/index.ts'
import { normalizePassword } from '../passwords/index.ts'
import { type Account, administratorRole, sortedRoles } from './account.ts'
import { type Actor, actorOf, requireStillAdministrator } from './actor.ts'
import { endCredentials } from './end-sessions.ts'
import { requireAdministratorBeside } from './own-account.ts'
import { type AccountsParts, type From, placeOf, timeAt } from './parts.ts'
import { invalid, requireEmail, requireGood, requireName, tokenRefused } from './refusals.ts'
import { accountById, changeAccount, hasAdministrator, insertAccount, lockAdministrators } from './store.ts'

/** What an administrator may change of an account. */
export interface AccountOrder {
  readonly roles?: readonly string[] | undefined
  readonly disabled?: boolean | undefined
  /** Why, for the audit trail. */
  readonly reason?: string | undefined
}

/**
 * Changes roles and standing of an account. It acts at once: access tokens of before are dead on every node, and a
 * disabled account has no session left.
 *
 * @throws NOT_FOUND; FORBIDDEN for one's own account: nobody grants themselves anything; CONFLICT for the last
 * administrator; VALIDATION_FAILED for a role that is not declared
 * @see OWASP ASVS 5.0 §8.3.2, §8.1.3; CVE-2026-97177 (a delegated administrator who raised himself)
 */
export async function orderAccount(
  parts: AccountsParts,
  { actor, userId, order }: { readonly actor: Actor; readonly userId: string; readonly order: AccountOrder },
  from: From,
): Promise<Account> {
  const { sessions, revocations, outbox, trail, nowMs } = parts
  const roles = order.roles === undefined ? undefined : requireRoles(parts, order.roles)
  if (actor.kind === 'administrator' && actor.id === userId)
    throw new Problem('FORBIDDEN', 'nobody changes their own roles or standing')
  const at = timeAt(nowMs())
  const after = await trail.transact(async (trx, note) => {
    await lockAdministrators(trx)
    await requireStillAdministrator(trx, actor)
    const account = await accountById(trx, userId)
    if (account === null) throw new Problem('NOT_FOUND', 'no such account')
    const isDisabling = order.disabled === true && account.disabledAt === null
    const isDemoting = roles !== undefined && !roles.includes(administratorRole)
    if (isDisabling || isDemoting) await requireAdministratorBeside(trx, account)
    const isEnabling = order.disabled === false && account.disabledAt !== null
    const change = {
      ...(roles === undefined ? {} : { roles }),
      ...(isDisabling ? { disabledAt: at } : {}),
      ...(isEnabling ? { disabledAt: null } : {}),
    }
    const areRolesNew = roles !== undefined && roles.join() !== account.roles.join()
    if (!isDisabling && !isEnabling && !areRolesNew) return account
    if (areRolesNew) await outbox.add(trx, { kind: 'roles-changed', data: { userId, at } })
    const changed = isDisabling
      ? await endCredentials(parts, trx, userId, { cause: 'disabled', at, change })
      : await changeAccount(trx, userId, change, { at, endsTokens: true })
    if (changed === null) throw new Problem('NOT_FOUND', 'no such account')
    // Sessions go on with the roles of now; access tokens with those of before do not.
    if (!isDisabling) await sessions.endTokens(trx, userId, changed.version, 'roles-changed')
    const facts = { userId, ...actorOf(actor), ...placeOf(from) }
    if (areRolesNew) {
      const details = { before: account.roles.join(' '), after: changed.roles.join(' ') }
      note({ event: 'privilege_permissions_changed', ...facts, ...why(order), details })
    }
    if (isDisabling) note({ event: 'user_archived', ...facts, ...why(order, 'disabled') })
    if (isEnabling) note({ event: 'user_updated', ...facts, ...why(order, 'enabled') })
    return changed
  })
  await revocations.noteCommitted()
  outbox.wake()
  return after
}

/** What an administrator has said, or what is the same each time. */
function why({ reason }: AccountOrder, fallback?: string): { readonly reason?: string } {
  const said = reason ?? fallback
  return said === undefined ? {} : { reason: said }
}

/** An account that an administrator or the command line makes; its address counts as verified. */
export interface GivenAccount {
  readonly email: string
  readonly name?: string | undefined
  readonly password: string
  readonly roles: readonly string[]
}

/** Makes an account. @throws VALIDATION_FAILED, CONFLICT when the address has one */
export async function createAccount(parts: AccountsParts, given: GivenAccount, from: From): Promise<Account> {
  const account = await prepareAccount(parts, given, from)
  const at = timeAt(parts.nowMs())
  await parts.trail.transact(async (trx, note) => {
    if (!(await insertAccount(trx, account, at))) throw new Problem('CONFLICT', 'the address has an account')
    note({ event: 'user_created', userId: account.id, ...placeOf(from) })
  })
  const made = await accountById(parts.db, account.id)
  if (made === null) throw new Problem('CONFLICT', 'removed at once')
  return made
}

const firstSubject = 'first-administrator'

/** A token with which the first administrator can be made; `null` when there is one already. */
export async function firstAdministratorToken({ db, singleUse }: AccountsParts): Promise<string | null> {
  if (await hasAdministrator(db)) return null
  const lifetimeMs = 3_600_000
  return await singleUse.issue(db, { purpose: 'first-administrator', subject: firstSubject, lifetimeMs })
}

/**
 * Makes the first administrator with the token that the server showed at its start.
 *
 * @throws VALIDATION_FAILED for a token that does not work, and as soon as there is an administrator
 */
export async function createFirstAdministrator(
  parts: AccountsParts,
  { token, ...given }: Omit<GivenAccount, 'roles'> & { readonly token: string },
  from: From,
): Promise<void> {
  const { db, singleUse, trail, nowMs } = parts
  if ((await singleUse.peek(db, 'first-administrator', token)) === null) throw tokenRefused()
  const account = await prepareAccount(parts, { ...given, roles: [administratorRole] }, from)
  await trail.transact(async (trx, note) => {
    if ((await singleUse.consume(trx, 'first-administrator', token)) === null) throw tokenRefused()
    if (await hasAdministrator(trx)) throw tokenRefused()
    if (!(await insertAccount(trx, account, timeAt(nowMs()))))
      throw new Problem('CONFLICT', 'the address has an account')
    note({ event: 'user_created', userId: account.id, reason: 'first administrator', ...placeOf(from) })
  })
}

async function prepareAccount(parts: AccountsParts, given: GivenAccount, from: From) {
  const email = requireEmail(given.email)
  const name = requireName(given.name ?? '')
  const roles = requireRoles(parts, given.roles)
  const password = normalizePassword(given.password)
  requireGood(await parts.policy.check(password, { email, name }), '/body/password')
  const passwordHash = await parts.hashing.hash(password, addressKey(from.address))
  return { id: newId(parts.nowMs()), email, name, roles, passwordHash }
}

/** The roles that an account may have. */
export function knownRoles({ roles }: Pick<AccountsParts, 'roles'>): ReadonlySet<string> {
  return new Set([...roles, administratorRole])
}

function requireRoles(parts: AccountsParts, roles: readonly string[]): readonly string[] {
  const known = knownRoles(parts)
  if (roles.some((role) => !known.has(role)))
    throw invalid('/body/roles', `expected roles among ${[...known].sort().join(', ')}`)
  return sortedRoles(roles)
}
