import type { ResponseName } from '../detection/index.ts'
import { ResponseFault, type TimedResponse } from './response.ts'

/** Whether responses are carried out, only written down, or left away. */
export type ResponseMode = 'on' | 'dry-run' | 'off'

/**
 * How long a response lasts, in milliseconds: the first time, the second, and so on within a week against the same
 * target; after the last of them it stays with that.
 */
export type ResponseDurations = Readonly<Partial<Record<TimedResponse, readonly number[]>>>

/** What is done about findings. */
export interface ResponseOptions {
  /** `on` unless given. */
  readonly mode?: ResponseMode
  readonly durationsMs?: ResponseDurations
  /** How long `slow-down` holds a request back: at first, and however often it comes. */
  readonly slowDown?: { readonly firstMs?: number; readonly maxMs?: number }
  /** For how long what was undone is not done again, in milliseconds; an hour unless given. */
  readonly graceMs?: number
  /** Against how many targets one finding is answered at most; 20 unless given. */
  readonly maxTargetCount?: number
  /** What is different for a detector, by its name. */
  readonly perDetector?: Readonly<Record<string, DetectorResponseOptions>>
}

/** What is different for one detector. */
export interface DetectorResponseOptions {
  readonly mode?: ResponseMode
  /** Of what its rule asks for, only these; alerts are told in any case. */
  readonly only?: readonly ResponseName[]
  readonly durationsMs?: ResponseDurations
}

/** Something wrong with a choice, and what to write instead. */
export interface ResponseOptionFault {
  /** `perDetector.scanner.mode` */
  readonly option: string
  readonly fault: string
  readonly fix: string
}

/** What holds for the findings of a detector. */
export interface DetectorPlan {
  readonly mode: ResponseMode
  readonly only: ReadonlySet<ResponseName> | undefined
  readonly durationsMs: Readonly<Record<TimedResponse, readonly number[]>>
}

/** The choices, checked and complete. */
export interface ResponsePlan {
  of(detector: string): DetectorPlan
  readonly slowDown: { readonly firstMs: number; readonly maxMs: number }
  readonly graceMs: number
  readonly maxTargetCount: number
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** A ban is short at first, because a detector is wrong now and then and an address has many people behind it. */
const rising: readonly number[] = [15 * minuteMs, hourMs, dayMs]

/** How long responses last unless an application chooses otherwise. */
export const defaultDurationsMs: Readonly<Record<TimedResponse, readonly number[]>> = {
  'slow-down': rising,
  // A session that was authenticated before is good again once it ends: it has to outlast whoever waits.
  'step-up': [dayMs, 7 * dayMs, 30 * dayMs],
  'ban-address': rising,
  'lock-account': rising,
}

const defaultSlowDown = { firstMs: 500, maxMs: 5_000 }
const defaultGraceMs = hourMs
const defaultTargetCount = 20
const modes: readonly unknown[] = ['on', 'dry-run', 'off']
const names: readonly unknown[] = [
  'alert',
  'slow-down',
  'step-up',
  'ban-address',
  'lock-account',
  'revoke-sessions',
]
// Somebody who waits longer has gone; and whoever waits holds a connection.
const longestDelayMs = 10_000
const longestMs = 365 * dayMs
const longestGraceMs = 30 * dayMs
const mostTargetsCount = 50
const mostLevelsCount = 8

/** Completes the choices. @throws ResponseFault with everything that is wrong with them */
export function responsePlan(options: ResponseOptions = {}): ResponsePlan {
  const faults = responseOptionFaults(options)
  if (faults.length > 0)
    throw new ResponseFault(faults.map(({ option, fault, fix }) => `${option}: ${fault}; write ${fix}.`))
  const { mode = 'on', durationsMs, slowDown, graceMs, maxTargetCount, perDetector = {} } = options
  const common = { ...defaultDurationsMs, ...durationsMs }
  const plans = new Map(
    Object.entries(perDetector).map(([detector, own]): [string, DetectorPlan] => [
      detector,
      {
        mode: own.mode ?? mode,
        only: own.only === undefined ? undefined : new Set(own.only),
        durationsMs: { ...common, ...own.durationsMs },
      },
    ]),
  )
  const others: DetectorPlan = { mode, only: undefined, durationsMs: common }
  return {
    of: (detector) => plans.get(detector) ?? others,
    slowDown: { ...defaultSlowDown, ...slowDown },
    graceMs: graceMs ?? defaultGraceMs,
    maxTargetCount: maxTargetCount ?? defaultTargetCount,
  }
}

type Refuse = (option: string, fault: string, fix: string) => void

/**
 * Everything wrong with the choices about responses. What cannot be understood would be taken for "no response", and
 * nobody would notice before an attack.
 *
 * @param detectors The names there are, to find one that is misspelt; not looked at unless given.
 * @see OWASP ASVS 5.0 §16.5.3
 */
export function responseOptionFaults(
  options: unknown,
  detectors?: readonly string[],
): readonly ResponseOptionFault[] {
  const faults: ResponseOptionFault[] = []
  const refuse: Refuse = (option, fault, fix) => void faults.push({ option, fault, fix })
  const given = membersOf(options, 'responses', refuse)
  examineNames(given, '', commonOptions, refuse)
  examineMode(given['mode'], 'mode', refuse)
  examineDurations(given['durationsMs'], 'durationsMs', refuse)
  examineSlowDown(given['slowDown'], refuse)
  examineWhole(given['graceMs'], { option: 'graceMs', least: 0, most: longestGraceMs }, refuse)
  const targets = { option: 'maxTargetCount', least: 1, most: mostTargetsCount }
  examineWhole(given['maxTargetCount'], targets, refuse)
  for (const [detector, own] of Object.entries(membersOf(given['perDetector'], 'perDetector', refuse))) {
    const at = `perDetector.${detector}`
    if (detectors?.includes(detector) === false)
      refuse(at, 'there is no such detector', `one of ${detectors.join(', ')}`)
    const members = membersOf(own, at, refuse)
    examineNames(members, `${at}.`, ownOptions, refuse)
    examineMode(members['mode'], `${at}.mode`, refuse)
    examineDurations(members['durationsMs'], `${at}.durationsMs`, refuse)
    const { only } = members
    if (only !== undefined && !(Array.isArray(only) && only.every((name) => names.includes(name))))
      refuse(`${at}.only`, 'it is no list of responses', `a list of ${names.join(', ')}`)
  }
  return faults
}

const commonOptions = ['mode', 'durationsMs', 'slowDown', 'graceMs', 'maxTargetCount', 'perDetector']
const ownOptions = ['mode', 'only', 'durationsMs']

function examineNames(
  given: Readonly<Record<string, unknown>>,
  at: string,
  known: readonly string[],
  refuse: Refuse,
): void {
  for (const name of Object.keys(given))
    if (!known.includes(name)) refuse(`${at}${name}`, 'there is no such option', `one of ${known.join(', ')}`)
}

function examineMode(mode: unknown, option: string, refuse: Refuse): void {
  if (mode !== undefined && !modes.includes(mode)) refuse(option, 'it is no mode', `'on', 'dry-run' or 'off'`)
}

function examineDurations(durations: unknown, at: string, refuse: Refuse): void {
  const timed = Object.keys(defaultDurationsMs)
  for (const [name, list] of Object.entries(membersOf(durations, at, refuse))) {
    if (!timed.includes(name)) refuse(`${at}.${name}`, 'it does not last', `one of ${timed.join(', ')}`)
    else if (list !== undefined && !isRising(list))
      refuse(
        `${at}.${name}`,
        'it is no list of times',
        `1 to ${mostLevelsCount} whole milliseconds from 1,000 to a year, none shorter than the one before`,
      )
  }
}

function isRising(list: unknown): boolean {
  if (!Array.isArray(list) || list.length < 1 || list.length > mostLevelsCount) return false
  return list.every(
    (time, index) => isWhole(time, 1_000, longestMs) && (index === 0 || time >= list[index - 1]),
  )
}

function examineSlowDown(slowDown: unknown, refuse: Refuse): void {
  const given = membersOf(slowDown, 'slowDown', refuse)
  examineNames(given, 'slowDown.', ['firstMs', 'maxMs'], refuse)
  for (const name of ['firstMs', 'maxMs'])
    examineWhole(given[name], { option: `slowDown.${name}`, least: 1, most: longestDelayMs }, refuse)
  const { firstMs = defaultSlowDown.firstMs, maxMs = defaultSlowDown.maxMs } = given
  if (typeof firstMs === 'number' && typeof maxMs === 'number' && firstMs > maxMs)
    refuse('slowDown.firstMs', 'it is longer than the longest', 'at most slowDown.maxMs')
}

function examineWhole(
  value: unknown,
  { option, least, most }: { readonly option: string; readonly least: number; readonly most: number },
  refuse: Refuse,
): void {
  if (value !== undefined && !isWhole(value, least, most))
    refuse(option, 'it is no such number', `a whole number from ${least} to ${most}`)
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
}

// From JavaScript anything may come.
function membersOf(value: unknown, option: string, refuse: Refuse): Readonly<Record<string, unknown>> {
  if (value === undefined) return {}
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.fromEntries(Object.entries(value))
  refuse(option, 'it is no object', '{ … }')
  return {}
}
