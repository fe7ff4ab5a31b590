import { Problem } from '../../errors/index.ts'
import { type AccessRule, type Decision, decide, type LimitClass } from '../../route/index.ts'
import { addressKey } from '../address.ts'
import type { CredentialHeaders, PipelineServices } from './services.ts'

/** What admission looks at: nothing of the body has been read yet. */
export interface Arrival {
  readonly clientAddress: string
  readonly headers: CredentialHeaders
}

/** The declaration that a request is held against. */
export interface Gatekeeping {
  readonly access: AccessRule
  readonly limit: { readonly name: string; readonly limit: LimitClass }
}

/**
 * Decides whether a request may go on, before its body is read: limit by address, credential, access rule,
 * limit by account. In this order, so that guessing credentials is counted and costs an attacker a request.
 *
 * @throws `QUOTA_EXCEEDED`, `UNAUTHENTICATED`, `FORBIDDEN`
 * @see OWASP ASVS 5.0 §2.4.1, §8.2.1
 */
export async function admit(
  route: Gatekeeping,
  arrival: Arrival,
  services: PipelineServices,
): Promise<Decision> {
  await requireQuota(route, `address:${addressKey(arrival.clientAddress)}`, services)
  if (route.access.kind === 'open') return { kind: 'open' }
  const user = await services.identify(arrival.headers)
  const decision = decide(route.access, user)
  if (decision.kind === 'known') await requireQuota(route, `account:${decision.user.id}`, services)
  return decision
}

async function requireQuota({ limit }: Gatekeeping, key: string, services: PipelineServices): Promise<void> {
  const outcome = await services.count(limit.name, limit.limit, key)
  if (!outcome.allowed) {
    throw new Problem('QUOTA_EXCEEDED', `limit class ${limit.name} by ${key.split(':')[0]}`, {
      headers: outcome.fields,
    })
  }
}
