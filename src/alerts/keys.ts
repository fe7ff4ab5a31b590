import { isIP } from 'node:net'
import { addressKey, networkKey, normaliseAddress } from '../base/index.ts'
import type { Finding } from '../detection/index.ts'
import { oneLine } from './words.ts'

/** By what a finding is known to belong to an alert. */
export interface FindingKeys {
  /** What its alert is found by from now on. */
  readonly own: readonly string[]
  /** What it is looked up by besides: the networks of its addresses, which it does not speak for. */
  readonly also: readonly string[]
  /** What everything else of its detector is found by, once there is too much of it. */
  readonly everybody: string
}

/** Whether many clients share an address, so that it says nothing about who did something: a proxy of ours. */
export type IsShared = (address: string) => boolean

const sampleMaxCount = 50
const fewCount = 3
const valueMaxChars = 200

/**
 * The keys of a finding. An attack is known by who does it, not by whom it hits: any of its addresses links it, but
 * accounts and sessions only where it is about a few of them. Otherwise everything that ever touched `admin` would be
 * one attack.
 *
 * @see docs/decisions/0019-one-attack-one-alert.md
 */
export function keysOf(finding: Finding, isShared: IsShared): FindingKeys {
  const { detector, addresses, accounts, sessions } = finding
  const everybody = `detector:${detector}:everybody`
  const known = addresses
    .slice(0, sampleMaxCount)
    .map((address) => normaliseAddress(address))
    .filter((address) => address !== undefined)
    .filter((address) => !isShared(address))
  const own = [
    subjectKey(finding, everybody, isShared),
    ...known.map(addressKeyOf),
    ...few(accounts).map((account) => keyOf('account', account)),
    ...few(sessions).map((session) => keyOf('session', session)),
  ]
  return { own: [...new Set(own)], also: [...new Set(known.flatMap(networksOf))], everybody }
}

function subjectKey({ detector, subject }: Finding, everybody: string, isShared: IsShared): string {
  const { by, value } = subject
  const address = by === 'address' || by === 'network' ? normaliseAddress(value) : undefined
  if (by === 'everybody') return everybody
  if (address === undefined) return keyOf(by, value)
  // Everybody behind a proxy: it may well be one attack, but says nothing about another detector's.
  if (isShared(address)) return `detector:${detector}:${addressKeyOf(address)}`
  return addressKeyOf(address)
}

function addressKeyOf(address: string): string {
  return keyOf('address', addressKey(address))
}

function networksOf(address: string): readonly string[] {
  if (isIP(address) === 6) return [keyOf('network', networkKey(address))]
  return [keyOf('network', `${address.slice(0, address.lastIndexOf('.'))}.0/24`)]
}

function few(values: readonly string[]): readonly string[] {
  return values.length <= fewCount ? values : []
}

function keyOf(kind: string, value: string): string {
  return `${kind}:${oneLine(value, valueMaxChars)}`
}
