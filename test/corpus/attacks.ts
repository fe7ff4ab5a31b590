import type { DetectionOptions, DetectorName, Finding } from '../../src/detection/index.ts'
import { requestAttacks } from './attacks-by-requests.ts'
import { accountAttacks } from './attacks-on-accounts.ts'
import type { Step } from './steps.ts'

/** An attack that hides in an hour. */
export interface Attack {
  readonly detector: DetectorName
  /** `hidden`: made to stay below the threshold. It is there to say what is missed. */
  readonly speed: 'fast' | 'slow' | 'hidden'
  readonly what: string
  readonly steps: readonly Step[]
  /** Whether a finding of its detector is about this attack, and not about somebody else. */
  readonly isMeant: (finding: Finding) => boolean
  readonly options?: DetectionOptions
}

/** All attacks, one for each detector and speed. */
export const attacks: readonly Attack[] = [...accountAttacks(), ...requestAttacks()]
