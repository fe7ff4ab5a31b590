import type { AccessPlan, LimitPlan } from '../route/index.ts'

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
export function limitText({ count, windowSeconds }: LimitPlan): string {
  return `${count.toLocaleString('en')} per ${windowNames.get(windowSeconds) ?? `${windowSeconds} seconds`}`
}

/** Whom a route's limit counts: an open route knows no accounts. */
export function countedText(access: AccessPlan): string {
  return access.kind === 'open' ? 'for each address' : 'for each address and each account'
}

/** The first letter in upper case. */
export function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
