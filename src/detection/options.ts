import { BlockList, isIP } from 'node:net'
import type { Detector, Escalation } from './detector.ts'
import { type DetectorName, detectors, isDetectorName } from './detectors.ts'
import type { ResponseName } from './finding.ts'
import { examineOptions } from './options-faults.ts'
import type { WorkingHours } from './working-hours.ts'

/** What detectors do differently from their defaults. */
export interface DetectionOptions {
  /** `off` looks at nothing. `dry-run` finds as `on` does: only what would be done about it is left undone. */
  readonly mode?: DetectionMode
  /** What is different for a detector, by its name; `'off'` switches it off. */
  readonly detectors?: Readonly<Partial<Record<DetectorName, DetectorOptions | 'off'>>>
  readonly honeytokens?: Honeytokens
  /** Outside of these, a change of privileges is found; never unless given. */
  readonly workingHours?: WorkingHours
  /** Addresses and ranges of which nothing is ever found: your own scanner. */
  readonly trustedScanners?: readonly string[]
  /** How many addresses, accounts and so on each detector remembers; 10,000 unless given. */
  readonly subjectCount?: number
}

/** Whether it looks, and whether anything is done about what it finds. */
export type DetectionMode = 'on' | 'dry-run' | 'off'

/** What is different for one detector. */
export interface DetectorOptions {
  readonly thresholdCount?: number
  readonly windowMs?: number
  readonly quietMs?: number
  readonly responses?: readonly ResponseName[]
  /** The second stage; `'off'` leaves it away. */
  readonly escalation?: Partial<Escalation> | 'off'
}

/** What nobody has a reason to touch. */
export interface Honeytokens {
  /** Names of query parameters, and of inputs that no form shows. */
  readonly fields?: readonly string[]
  /** Paths, or patterns of routes of your own: `/admin.php`. */
  readonly routes?: readonly string[]
  /** E-mail addresses and ids of accounts that nobody uses. */
  readonly credentials?: readonly string[]
}

/** One thing wrong with a choice, and what to write instead. */
export interface DetectionOptionFault {
  /** `detectors.scanner.windowMs` */
  readonly option: string
  readonly fault: string
  readonly fix: string
}

/** Everything wrong with the choices about detection. */
export class DetectionFault extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'DetectionFault'
    this.faults = faults
  }
}

/** The names of all detectors. */
export const detectorNames: readonly string[] = detectors.map(({ name }) => name)

/**
 * Everything wrong with the choices about detection. A detector that is misspelt would stay as it is, and nobody would
 * notice before an attack.
 *
 * @see OWASP ASVS 5.0 §16.5.3
 */
export function detectionOptionFaults(options: unknown): readonly DetectionOptionFault[] {
  return examineOptions(options, detectorNames)
}

/** The detectors as an application wants them. @throws DetectionFault with everything that is wrong */
export function detectorsFor(options: DetectionOptions): readonly Detector[] {
  const faults = detectionOptionFaults(options)
  if (faults.length > 0)
    throw new DetectionFault(faults.map(({ option, fault, fix }) => `${option}: ${fault}; write ${fix}.`))
  if (options.mode === 'off') return []
  return detectors.flatMap((detector) => {
    const own = isDetectorName(detector.name) ? options.detectors?.[detector.name] : undefined
    if (own === 'off') return []
    return own === undefined ? [detector] : [changed(detector, own)]
  })
}

function changed(detector: Detector, { escalation, ...own }: DetectorOptions): Detector {
  const { escalation: known, ...rest } = detector
  const stage = escalation === 'off' ? undefined : mergedStage(known, escalation)
  const made = { ...rest, ...own, ...(stage === undefined ? {} : { escalation: stage }) }
  return made
}

function mergedStage(
  known: Escalation | undefined,
  given: Partial<Escalation> | undefined,
): Escalation | undefined {
  const { thresholdCount, responses } = { ...known, ...given }
  return thresholdCount === undefined || responses === undefined ? undefined : { thresholdCount, responses }
}

/** Tells whether an address is one of a list of addresses and ranges. */
export function addressMatcher(list: readonly string[]): (address: string) => boolean {
  if (list.length === 0) return () => false
  const blocks = new BlockList()
  for (const text of list) {
    const [address = '', prefix] = text.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) blocks.addAddress(address, family)
    else blocks.addSubnet(address, Number(prefix), family)
  }
  return (address) => {
    const family = isIP(address)
    return family !== 0 && blocks.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
}
