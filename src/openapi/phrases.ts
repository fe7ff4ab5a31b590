import type { AccessPlan, LimitPlan, LimitRulePlan, RouteCost } from '../route/index.ts'

/** Who may call a route, as a clause without a full stop. */
export function whoText(access: AccessPlan): string {
  switch (access.kind) {
    case 'open':
      return 'anyone'
    case 'signed-in':
      return 'anyone who is signed in'
    case 'role':
      return access.permission === undefined
        ? `anyone with the role ${access.roles.join(' or ')}`
        : `anyone with the permission ${access.permission} (${access.roles.join(', ')})`
    case 'owns':
      return access.action === 'owner'
        ? `the owner of the ${access.resource}`
        : `whoever may ${access.action} the ${access.resource}`
    case 'any':
      return access.of.map(whoText).join(', or ')
    default:
      return access satisfies never
  }
}

/** The reason that an open route gives for being open. */
export function openReason(access: AccessPlan): string | undefined {
  return access.kind === 'open' ? access.reason : undefined
}

const windowNames: ReadonlyMap<number, string> = new Map([
  [1, 'second'],
  [60, 'minute'],
  [900, '15 minutes'],
  [3_600, 'hour'],
  [86_400, 'day'],
])

/** `300 per minute`. */
export function rateText({ count, windowSeconds }: LimitRulePlan): string {
  return `${count.toLocaleString('en')} per ${windowNames.get(windowSeconds) ?? `${windowSeconds} seconds`}`
}

/** A limit class in full, for those whom the access lets know: an open route knows no accounts. */
export function limitText(limit: LimitPlan, access?: AccessPlan): string {
  const { and = {}, slowDown, concurrentCount } = limit
  return [
    ruleText(limit, access),
    ...Object.values(and).map((rule) => ruleText(rule, access)),
    ...(slowDown === undefined ? [] : [`slower and slower after ${slowDown.after.toLocaleString('en')}`]),
    ...(concurrentCount === undefined ? [] : [`at most ${concurrentCount} under way at once`]),
  ].join('; ')
}

function ruleText(rule: LimitRulePlan, access: AccessPlan | undefined): string {
  const failing = rule.counts === 'failures' ? ' that fail' : ''
  const strict = rule.algorithm === 'sliding-window' ? ' in any window' : ''
  const burst = rule.burst === undefined ? '' : `, at most ${rule.burst.toLocaleString('en')} at once`
  return `${rateText(rule)}${failing}${strict}${burst}, ${countedText(rule, access)}`
}

/** The same in short, where it has been said that a limit is for each address and each account. */
export function limitSummary(limit: LimitPlan): string {
  const usual = `, ${countedText({ count: 1, windowSeconds: 1 }, undefined)}`
  return limitText(limit).replaceAll(usual, '')
}

/** How much of its limit one request takes; nothing to say about 1. */
export function costText(cost: RouteCost | undefined): string | undefined {
  if (cost === undefined) return undefined
  if (typeof cost === 'number') return `each counts as ${cost}`
  return `each counts as one for every ${cost.per} of ${cost.query}`
}

const keyNames: Readonly<Record<string, string>> = {
  'account+address': 'account at an address',
  'api-key': 'API key',
}

function countedText({ by = ['address', 'account'] }: LimitRulePlan, access: AccessPlan | undefined): string {
  const isOpen = access?.kind === 'open'
  const counted = by.filter((key) => !isOpen || !['account', 'session', 'tenant', 'api-key'].includes(key))
  const each = counted.filter((key) => key !== 'route').map((key) => `each ${keyNames[key] ?? key}`)
  return [
    ...(each.length === 0 ? [] : [`for ${each.join(' and ')}`]),
    ...(counted.includes('route') ? ['for all together'] : []),
  ].join(' and ')
}

/** The first letter in upper case. */
export function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
