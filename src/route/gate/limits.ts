import { type JsonSchema, propertiesOf } from '../../schema/index.ts'
import { type AccessRule, partsOf } from '../access.ts'
import type { LimitClass, LimitRule } from '../limit-class.ts'
import { isAmount, limitFaults } from '../limit-faults.ts'
import type { NamedLimit, RouteCost } from '../limit-of.ts'
import type { Vocabulary } from '../words.ts'
import type { Subject } from './subject.ts'

/** The rules about one limit class. */
export function examineLimitClass(name: string, limit: LimitClass, subject: Subject): void {
  for (const { fault, fix } of limitFaults(name, limit)) subject.refuse('limit.invalid', fault, fix)
}

/** The rule about the limit of a route or plugin; answers it when there is one. @param place The route's address. */
export function examineLimit(
  { limit }: { readonly limit?: unknown },
  place: string,
  vocabulary: Pick<Vocabulary, 'limits'>,
  subject: Subject,
): NamedLimit | undefined {
  const known = Object.keys(vocabulary.limits)
  const choice = `${known.map((name) => `limit: '${name}'`).join(' or ')}, or limit: per('minute', 60)`
  if (isLimitClass(limit)) {
    examineLimitClass('limit', limit, subject)
    return { name: place, limit }
  }
  if (typeof limit !== 'string') {
    subject.refuse('route.limit-missing', 'nothing says how often it may be called', choice)
    return undefined
  }
  const named = Object.hasOwn(vocabulary.limits, limit) ? vocabulary.limits[limit] : undefined
  if (named === undefined) {
    subject.refuse('route.limit-unknown', `there is no limit class "${limit}"`, choice)
    return undefined
  }
  return { name: limit, limit: named }
}

function isLimitClass(value: unknown): value is LimitClass {
  return typeof value === 'object' && value !== null && 'count' in value && 'windowSeconds' in value
}

/** The rule that a limit counts somebody: strangers have no account, so nothing by account alone holds them back. */
export function examineCounted({ limit }: NamedLimit, access: AccessRule, subject: Subject): void {
  if (!partsOf(access).some(({ kind }) => kind === 'open')) return
  const rules = [limit, ...Object.values(limit.and ?? {})]
  const isCounted = ({ by = ['address'] }: LimitRule): boolean =>
    by.some((key) => key === 'address' || key === 'network' || key === 'account+address' || key === 'route')
  if (!rules.some(isCounted))
    subject.refuse(
      'route.limit-uncounted',
      'anyone may call it, and its limit counts no stranger',
      `a limit class by 'address'`,
    )
}

/** The rule about the cost of a route's requests: the dearest can still pass. */
export function examineCost(
  cost: unknown,
  { name, limit }: NamedLimit,
  query: JsonSchema | undefined,
  subject: Subject,
): RouteCost | undefined {
  if (cost === undefined) return 1
  const rules = [limit, ...Object.values(limit.and ?? {})]
  const most = Math.min(...rules.map(({ burst, count }) => burst ?? count))
  const refuse = (fault: string): undefined => {
    subject.refuse('route.cost-invalid', fault, `cost: 5, or cost: { query: 'limit', per: 25 }`)
    return undefined
  }
  if (typeof cost === 'number') {
    if (isAmount(cost) && cost <= most) return cost
    return refuse(
      `the cost must be a whole number from 1 to ${most}, all that "${name}" lets through at once`,
    )
  }
  if (!isCostOf(cost)) return refuse('the cost is neither a number nor a query parameter with per')
  const property = query === undefined ? undefined : propertiesOf(query)[cost.query]
  const maximum = property?.['maximum']
  if (property === undefined || property['type'] !== 'integer' || typeof maximum !== 'number')
    return refuse(`"${cost.query}" is no whole number of the query that has a maximum`)
  if (Math.ceil(maximum / cost.per) > most)
    return refuse(
      `the dearest request costs ${Math.ceil(maximum / cost.per)}, and "${name}" lets ${most} through at once`,
    )
  return { query: cost.query, per: cost.per }
}

function isCostOf(value: unknown): value is { readonly query: string; readonly per: number } {
  if (typeof value !== 'object' || value === null || !('query' in value) || !('per' in value)) return false
  return typeof value.query === 'string' && isAmount(value.per)
}
