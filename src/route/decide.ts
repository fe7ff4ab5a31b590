import type { Resource, RowAction } from '../data/resource.ts'
import { Problem } from '../errors/index.ts'
import { type AccessRule, type Principal, partsOf } from './access.ts'

/** What an access rule says about a caller before any row is looked at. */
export type Decision =
  /** The route is open. */
  | { readonly kind: 'open' }
  /** The caller may call; `owned` still has to be held against the row rules unless `lifted`. */
  | {
      readonly kind: 'known'
      readonly user: Principal
      readonly owned: { readonly resource: Resource; readonly action: RowAction } | undefined
      /** True when another alternative than ownership lets the caller in. */
      readonly lifted: boolean
    }

/**
 * Holds a caller against an access rule. Pure; allow-only: what no alternative lets in is refused.
 *
 * @throws `UNAUTHENTICATED` without valid credentials, `FORBIDDEN` when no alternative fits.
 * @see OWASP ASVS 5.0 §8.2.1, §8.3.1
 */
export function decide(rule: AccessRule, user: Principal | null): Decision {
  return decider(rule)(user)
}

/** The same for a rule that many callers are held against: what is in the rule is looked up once. */
export function decider(rule: AccessRule): (user: Principal | null) => Decision {
  if (rule.kind === 'open') return () => openDecision
  const parts = partsOf(rule)
  const owning = parts.find((part) => part.kind === 'owns')
  const owned =
    owning === undefined ? undefined : { resource: owning.resource, action: owning.action ?? 'owner' }
  return (user) => {
    if (user === null) {
      throw new Problem('UNAUTHENTICATED', 'no valid credential', {
        headers: { 'www-authenticate': 'Bearer' },
      })
    }
    const lifted = isLetIn(parts, user)
    if (!lifted && owned === undefined)
      throw new Problem('FORBIDDEN', 'the caller holds none of the roles this takes')
    return { kind: 'known', user, owned, lifted }
  }
}

const openDecision: Decision = { kind: 'open' }

function isLetIn(parts: readonly AccessRule[], user: Principal): boolean {
  for (const part of parts) if (letsIn(part, user)) return true
  return false
}

function letsIn(part: AccessRule, user: Principal): boolean {
  switch (part.kind) {
    case 'signed-in':
      return true
    case 'role':
      return part.roles.some((role) => user.roles.includes(role))
    // An open alternative cannot be written; if it were, it must not widen a closed route.
    case 'open':
    case 'owns':
    case 'any':
      return false
    default:
      return part satisfies never
  }
}
