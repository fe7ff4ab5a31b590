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
export type AdmissionServices = Pick<PipelineServices, 'identify' | 'accountBannedForMs'>

/**
 * Counts a request, and finds out who sends it, before its body is read. Who it is comes first, from memory, so that
 * one step can decide all of its limits; but not for an address that is known to be over its limit. Whatever comes of
 * the credential, the request is counted: guessing costs an attacker a request.
 *
 * @throws `QUOTA_EXCEEDED`, `ABNORMAL_USAGE`
 * @see OWASP ASVS 5.0 §2.4.1, §8.2.1
 */
export async function admit(
  access: AccessRule,
  limiter: Limiter,
  arrival: Arrival,
  services: AdmissionServices,
): Promise<Admission> {
  const stranger = {
    address: arrival.clientAddress,
    route: arrival.route,
    params: arrival.params,
    cost: arrival.cost,
  }
  const known = limiter.addressRefusal(stranger)
  if (known !== undefined) throw quotaProblem(known)
  const user = access.kind === 'open' ? null : await identified(limiter, stranger, arrival, services)
  const outcome = await limiter.take(user === null ? stranger : { ...stranger, ...subjectOf(user) })
  if (!outcome.allowed) throw quotaProblem(outcome)
  return { user, outcome }
}

async function identified(
  limiter: Limiter,
  stranger: LimitRequest,
  { headers }: Arrival,
  { identify, accountBannedForMs }: AdmissionServices,
): Promise<Principal | null> {
  let user: Principal | null
  try {
    user = await identify(headers)
  } catch (error) {
    // Not to know who asks is no reason not to count them: the database may be slow because they ask.
    const outcome = await limiter.take(stranger)
    outcome.settle?.('badly')
    throw outcome.allowed ? error : quotaProblem(outcome)
  }
  const bannedForMs = user === null ? undefined : accountBannedForMs(user.id)
  if (bannedForMs === undefined) return user
  const outcome = await limiter.take(stranger)
  outcome.settle?.('badly')
  throw outcome.allowed ? bannedProblem(bannedForMs) : quotaProblem(outcome)
}

function subjectOf({ id, session, tenantId, apiKeyId }: Principal): Partial<LimitRequest> {
  return { account: id, session: session?.id, tenant: tenantId, apiKey: apiKeyId }
}
