const maxChars = 254
const localMaxChars = 64
// RFC 5322 §3.2.3 dot-atom: no quotes, no comments, no spaces, nothing that a mail server or a list reads differently.
const local = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * The one spelling of an e-mail address under which an account is known; `null` for anything that is not exactly one
 * plain address. Only ASCII is taken, so that no two spellings look alike and nothing is normalised after it was
 * looked at; capital letters count as small ones in both parts.
 *
 * @see RFC 5321 §4.5.3.1, §2.3.5; CVE-2022-35924 (two addresses in one field), CVE-2026-73420 (full-width `@`)
 * @example canonicalEmail('Ann@Example.com') // 'ann@example.com'
 */
export function canonicalEmail(text: string): string | null {
  // Before the case is changed: the Kelvin sign, for one, has a plain k as its small letter.
  if (text.length > maxChars || !/^[\x21-\x7e]+$/.test(text)) return null
  const address = text.toLowerCase()
  const [name, domain, ...rest] = address.split('@')
  if (name === undefined || domain === undefined || rest.length > 0) return null
  if (name.length > localMaxChars || !local.test(name)) return null
  const labels = domain.split('.')
  if (labels.length < 2 || !labels.every((one) => label.test(one))) return null
  // A last label of digits is an IP address, which takes mail for nobody in particular.
  return /^\d+$/.test(labels.at(-1) ?? '') ? null : address
}
