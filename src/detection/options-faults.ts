import { isIP } from 'node:net'
import { detectors } from './detectors.ts'
import type { DetectionOptionFault } from './options.ts'
import { isTimeOfDay, weekdays } from './working-hours.ts'

type Refuse = (option: string, fault: string, fix: string) => void
type Members = Readonly<Record<string, unknown>>

const hourMs = 3_600_000
const responseNames: readonly unknown[] = [
  'alert',
  'slow-down',
  'step-up',
  'ban-address',
  'lock-account',
  'revoke-sessions',
]
const bounds = {
  thresholdCount: { least: 1, most: 1_000_000 },
  // Shorter, and a retry is a repeat; longer, and a node remembers what nobody asks for.
  windowMs: { least: 1_000, most: 7 * 24 * hourMs },
  quietMs: { least: 0, most: 7 * 24 * hourMs },
  subjectCount: { least: 100, most: 1_000_000 },
} as const
const mostTokens = 1_000

/** Everything wrong with choices about detection; from JavaScript anything may come. */
export function examineOptions(options: unknown, names: readonly string[]): readonly DetectionOptionFault[] {
  const faults: DetectionOptionFault[] = []
  const refuse: Refuse = (option, fault, fix) => void faults.push({ option, fault, fix })
  const given = membersOf(options, 'detection', refuse)
  const known = ['mode', 'detectors', 'honeytokens', 'workingHours', 'trustedScanners', 'subjectCount']
  examineNames(given, '', known, refuse)
  if (given['mode'] !== undefined && !['on', 'dry-run', 'off'].includes(String(given['mode'])))
    refuse('mode', 'it is no mode', `'on', 'dry-run' or 'off'`)
  examineNumber(given, '', 'subjectCount', refuse)
  for (const [name, own] of Object.entries(membersOf(given['detectors'], 'detectors', refuse))) {
    if (!names.includes(name))
      refuse(`detectors.${name}`, 'there is no such detector', `one of ${names.join(', ')}`)
    else if (own !== 'off') examineDetector(own, name, refuse)
  }
  examineTokens(given['honeytokens'], refuse)
  if (given['workingHours'] !== undefined) examineHours(given['workingHours'], refuse)
  examineAddresses(given['trustedScanners'], refuse)
  return faults
}

function examineDetector(own: unknown, name: string, refuse: Refuse): void {
  const at = `detectors.${name}`
  const given = membersOf(own, at, refuse)
  examineNames(given, `${at}.`, ['thresholdCount', 'windowMs', 'quietMs', 'responses', 'escalation'], refuse)
  for (const option of ['thresholdCount', 'windowMs', 'quietMs'] as const)
    examineNumber(given, `${at}.`, option, refuse)
  examineResponses(given['responses'], `${at}.responses`, refuse)
  if (given['escalation'] === undefined || given['escalation'] === 'off') return
  const stage = membersOf(given['escalation'], `${at}.escalation`, refuse)
  examineNames(stage, `${at}.escalation.`, ['thresholdCount', 'responses'], refuse)
  examineNumber(stage, `${at}.escalation.`, 'thresholdCount', refuse)
  examineResponses(stage['responses'], `${at}.escalation.responses`, refuse)
  examineOrder(given, stage, name, refuse)
}

/** The second stage comes after the first, and is complete. */
function examineOrder(given: Members, stage: Members, name: string, refuse: Refuse): void {
  const at = `detectors.${name}.escalation`
  const known = detectors.find((detector) => detector.name === name)
  const first = given['thresholdCount'] ?? known?.thresholdCount
  const second = stage['thresholdCount'] ?? known?.escalation?.thresholdCount
  if (second === undefined || (stage['responses'] ?? known?.escalation?.responses) === undefined)
    refuse(at, 'this detector has no second stage to change', 'both thresholdCount and responses')
  else if (typeof first === 'number' && typeof second === 'number' && second <= first)
    refuse(`${at}.thresholdCount`, 'it is not above the first threshold', `more than ${first}`)
}

function examineTokens(tokens: unknown, refuse: Refuse): void {
  const given = membersOf(tokens, 'honeytokens', refuse)
  examineNames(given, 'honeytokens.', ['fields', 'routes', 'credentials'], refuse)
  for (const kind of ['fields', 'routes', 'credentials']) {
    const list = given[kind]
    if (list === undefined) continue
    const isList =
      Array.isArray(list) &&
      list.length <= mostTokens &&
      list.every((text) => typeof text === 'string' && text !== '' && text.length <= 200)
    if (!isList)
      refuse(`honeytokens.${kind}`, 'it is no list of texts', `at most ${mostTokens} texts of 1 to 200 chars`)
    else if (kind === 'routes' && !list.every((text) => String(text).startsWith('/')))
      refuse('honeytokens.routes', 'a path begins with a slash', `['/admin.php']`)
  }
}

function examineHours(hours: unknown, refuse: Refuse): void {
  const given = membersOf(hours, 'workingHours', refuse)
  examineNames(given, 'workingHours.', ['timeZone', 'days', 'from', 'to'], refuse)
  const { timeZone, days, from, to } = given
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone))
    refuse('workingHours.timeZone', 'it is no time zone', `one of IANA, such as 'Europe/Berlin'`)
  if (!isTimeOfDay(from)) refuse('workingHours.from', 'it is no time of day', `'08:00'`)
  if (!isTimeOfDay(to)) refuse('workingHours.to', 'it is no time of day', `'18:00'`)
  if (isTimeOfDay(from) && from === to)
    refuse('workingHours.to', 'the day has no length', 'a time other than `from`')
  const isDays = Array.isArray(days) && days.length > 0 && days.every((day) => weekdays.includes(day))
  if (days !== undefined && !isDays)
    refuse('workingHours.days', 'these are no days', `some of ${weekdays.join(', ')}`)
}

function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone }).format(0) !== ''
  } catch {
    return false
  }
}

function examineAddresses(list: unknown, refuse: Refuse): void {
  if (list === undefined) return
  if (!Array.isArray(list) || !list.every(isRange))
    refuse(
      'trustedScanners',
      'these are no addresses',
      `addresses and ranges: ['192.0.2.0/28', '2001:db8::5']`,
    )
}

function isRange(text: unknown): boolean {
  if (typeof text !== 'string') return false
  const [address = '', prefix, more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more !== undefined) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}

function examineResponses(list: unknown, option: string, refuse: Refuse): void {
  if (list !== undefined && !(Array.isArray(list) && list.every((name) => responseNames.includes(name))))
    refuse(option, 'it is no list of responses', `a list of ${responseNames.join(', ')}`)
}

function examineNumber(given: Members, at: string, name: keyof typeof bounds, refuse: Refuse): void {
  const value = given[name]
  const { least, most } = bounds[name]
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most)
    refuse(`${at}${name}`, 'it is no such number', `a whole number from ${least} to ${most}`)
}

function examineNames(given: Members, at: string, known: readonly string[], refuse: Refuse): void {
  for (const name of Object.keys(given))
    if (!known.includes(name)) refuse(`${at}${name}`, 'there is no such option', `one of ${known.join(', ')}`)
}

function membersOf(value: unknown, option: string, refuse: Refuse): Members {
  if (value === undefined) return {}
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.fromEntries(Object.entries(value))
  refuse(option, 'it is no object', '{ … }')
  return {}
}
