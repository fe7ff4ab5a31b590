import { type BreachSource, isBreached } from './breached.ts'
import { isCommon } from './common.ts'
import { type AboutPerson, isExpected, isPattern } from './expected.ts'

/** Why a password is refused. */
export interface PasswordFault {
  readonly reason: 'too-short' | 'too-long' | 'common' | 'expected' | 'breached'
  /** For the person: why, and what to do instead. It never holds the password. */
  readonly message: string
}

/** Whose password it is to be. */
export interface PasswordOwner extends AboutPerson {
  /** True where every login asks for a second factor. */
  readonly hasSecondFactor?: boolean
}

/** Decides which passwords are taken. */
export interface PasswordPolicy {
  /** @param password In NFC. @returns `null` when it is fine */
  check(password: string, owner: PasswordOwner): Promise<PasswordFault | null>
}

/** What a policy is made of. */
export interface PolicyOptions {
  /** What the site is called. */
  readonly siteNames: readonly string[]
  /** Nowhere unless given. */
  readonly breached?: BreachSource | undefined
}

/** Least characters of a password that stands alone. */
export const minimumChars = 15
/** Least characters of a password that a second factor stands beside. */
export const minimumCharsWithFactor = 8
/** Most characters of a password. It is never cut: a longer one is refused. */
export const maximumChars = 256

const guidance = 'Several words that do not belong together make a good one.'

/**
 * The form in which a password is compared and hashed: NFC, so that one password typed on two keyboards is one.
 * Nothing else is changed, and nothing cut.
 *
 * @see NIST SP 800-63B-4 §3.1.1.2; OWASP ASVS 5.0 §6.2.8
 */
export function normalizePassword(text: string): string {
  return text.normalize('NFC')
}

/**
 * The rules of NIST SP 800-63B-4: long, known to nobody, and of any characters at all.
 *
 * @see NIST SP 800-63B-4 §3.1.1.2; OWASP ASVS 5.0 §6.2.1, §6.2.4, §6.2.5, §6.2.9, §6.2.11, §6.2.12
 */
export function passwordPolicy({ siteNames, breached }: PolicyOptions): PasswordPolicy {
  return {
    async check(password, owner) {
      const length = [...password].length
      const least = owner.hasSecondFactor === true ? minimumCharsWithFactor : minimumChars
      if (length < least) return fault('too-short', `has ${length} characters; it needs at least ${least}.`)
      if (length > maximumChars)
        return { reason: 'too-long', message: `has ${length} characters; at most ${maximumChars} are taken.` }
      if (isExpected(password, owner, siteNames))
        return fault('expected', 'is made of your name, your address or the name of this site.')
      if (isPattern(password) || (await isCommon(password)))
        return fault('common', 'is one of the passwords that are tried first.')
      if (breached !== undefined && (await isBreached(password, breached)))
        return fault('breached', 'has been found in stolen data; whoever guesses passwords knows it.')
      return null
    },
  }
}

function fault(reason: PasswordFault['reason'], why: string): PasswordFault {
  return { reason, message: `${why} ${guidance}` }
}
