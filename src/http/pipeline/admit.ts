import { after } from '../../base/index.ts'
import { type Limiter, type LimitOutcome, type LimitRequest, quotaProblem } from '../../limits/index.ts'
import type { AccessRule, NamedLimit, Principal } from '../../route/index.ts'
import { bannedProblem } from '../banned.ts'
import type { CredentialHeaders, PipelineServices } from './services.ts'

/** What admission looks at: nothing of the body has been read yet. */
export interface Arrival {
  readonly clientAddress: string
  /** `GET /api/notes/:id` */
  readonly route: string
  /** The path parameters as they came. */
  readonly params: Readonly<Record<string, string>>
  readonly headers: CredentialHeaders
  /** How much of the limit this request takes. */
  readonly cost: number
}

/** The declaration that a request is held against. */
export interface Gatekeeping {
  /** What a route of ours is asked for, known before any request; of others, the request tells. */
  readonly method?: string
  readonly path?: string
  /** Method and path. */
  readonly name?: string
  readonly access: AccessRule
  readonly limit: NamedLimit
  /** How much of the limit a request takes, from its query as it came; 1 unless given. */
  readonly costOf?: ((query: unknown) => number) | undefined
  /** True where somebody gets who has to authenticate again: to do so, and to log out. */
  readonly standsStepUp?: boolean | undefined
}

/** A request that has been counted, and who sends it. */
export interface Admission {
  /** `null` for somebody unknown, and on an open route for everybody. */
  readonly user: Principal | null
  readonly outcome: LimitOutcome
}

/** What admission needs of the services. */
export type AdmissionServices = Pick<PipelineServices, 'identify' | 'recall' | 'accountBannedForMs'>

/**
 * Counts a request, and finds out who sends it, before its body is read. Who it is comes first, from memory, so that
 * one step can decide all of its limits; but not for an address that is known to be over its limit. Whatever comes of
 * the credential, the request is counted: guessing costs an attacker a request.
 *
 * @throws `QUOTA_EXCEEDED`, `ABNORMAL_USAGE`
 * @see OWASP ASVS 5.0 §2.4.1, §8.2.1
 */
export function admit(
  access: AccessRule,
  limiter: Limiter,
  arrival: Arrival,
  services: AdmissionServices,
): Admission | Promise<Admission> {
  // Whoever is recognised from memory costs less than the look at their address: `take` refuses them all the same.
  const recalled = access.kind === 'open' ? undefined : services.recall?.(arrival.headers)
  if (recalled !== undefined) return known(limiter, arrival, recalled, services)
  const stranger = strangerOf(arrival)
  const refused = limiter.addressRefusal(stranger)
  if (refused !== undefined) throw quotaProblem(refused)
  if (access.kind === 'open') return taken(limiter, stranger, null)
  let user: ReturnType<AdmissionServices['identify']>
  try {
    user = services.identify(arrival.headers)
  } catch (error) {
    // Not to know who asks is no reason not to count them: the database may be slow because they ask.
    return refusedAs(limiter, stranger, error)
  }
  const go = (found: Principal | null) =>
    found === null ? taken(limiter, stranger, null) : known(limiter, arrival, found, services)
  if (!(user instanceof Promise)) return go(user)
  return user.then(go, (error: unknown) => refusedAs(limiter, stranger, error))
}

function known(
  limiter: Limiter,
  arrival: Arrival,
  user: Principal,
  { accountBannedForMs }: AdmissionServices,
): Admission | Promise<Admission> {
  const bannedForMs = accountBannedForMs(user.id)
  if (bannedForMs !== undefined) return refusedAs(limiter, strangerOf(arrival), bannedProblem(bannedForMs))
  const { clientAddress: address, route, params, cost } = arrival
  const { id: account, session, tenantId: tenant, apiKeyId: apiKey } = user
  return taken(limiter, { address, route, params, cost, account, session: session?.id, tenant, apiKey }, user)
}

function taken(
  limiter: Limiter,
  request: LimitRequest,
  user: Principal | null,
): Admission | Promise<Admission> {
  return after(limiter.take(request), (outcome) => {
    if (!outcome.allowed) throw quotaProblem(outcome)
    return { user, outcome }
  })
}

/** Counts a request that is refused, and refuses it: with what was found, or because it was one too many. */
function refusedAs(limiter: Limiter, stranger: LimitRequest, error: unknown): never | Promise<never> {
  return after(limiter.take(stranger), (outcome) => {
    outcome.settle?.('badly')
    throw outcome.allowed ? error : quotaProblem(outcome)
  })
}

function strangerOf({ clientAddress: address, route, params, cost }: Arrival): LimitRequest {
  return { address, route, params, cost }
}
