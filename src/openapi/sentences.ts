import type { AccessPlan, LimitPlan } from '../route/index.ts'

/** Who may call, as one sentence. */
export function accessSentence(access: AccessPlan): string {
  return `${sentence(access)}.`
}

function sentence(access: AccessPlan): string {
  switch (access.kind) {
    case 'open':
      return `Anyone may call this: ${access.reason.replace(/\.$/, '')}`
    case 'signed-in':
      return 'Any caller with valid credentials'
    case 'role':
      return `Callers with the role ${access.roles.join(' or ')}`
    case 'owns':
      return access.action === 'owner'
        ? `The owner of the ${access.resource}`
        : `Whoever may ${access.action} the ${access.resource}`
    case 'any':
      return access.of.map(sentence).join(', or: ')
    default:
      return access satisfies never
  }
}

const windows: ReadonlyMap<number, string> = new Map([
  [1, 'second'],
  [60, 'minute'],
  [900, '15 minutes'],
  [3_600, 'hour'],
  [86_400, 'day'],
])

/** How often, as one sentence. */
export function limitSentence(name: string, limit: LimitPlan | undefined): string {
  if (limit === undefined) return `Limit class ${name}.`
  const window = windows.get(limit.windowSeconds) ?? `${limit.windowSeconds} seconds`
  return `Limit class ${name}: ${limit.count} per ${window}, for each address and each account.`
}

/** The group a path belongs to: its first segment after `/api`. */
export function tagOf(path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '' && !segment.startsWith(':'))
  const [first, second] = segments
  return (first === 'api' ? second : first) ?? 'general'
}
