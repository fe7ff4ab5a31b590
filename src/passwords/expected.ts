/** What somebody who knows a person would try first. */
export interface AboutPerson {
  readonly email: string
  readonly name?: string | undefined
}

const filler = /[^\p{L}\p{N}]+/gu
// What people put before and after a word to make it a password.
const decoration = /^[\p{N}\p{P}\p{S}\s]+|[\p{N}\p{P}\p{S}\s]+$/gu
const meaningfulMinChars = 3

/**
 * Whether a password is made of what is known of its owner or of the site: a name, an address or a part of it, said
 * once or several times, backwards, or with digits and signs around it.
 *
 * The whole password is compared, not parts of it: a long password that contains a name is fine.
 *
 * @param siteNames What the site is called.
 * @see NIST SP 800-63B-4 §3.1.1.2; OWASP ASVS 5.0 §6.2.11, §6.1.2
 */
export function isExpected(password: string, about: AboutPerson, siteNames: readonly string[]): boolean {
  const words = new Set(expectedWords(about, siteNames))
  const plain = folded(password)
  const bare = folded(password.replace(decoration, ''))
  return [plain, bare, reversed(plain), reversed(bare)].some((form) => isMadeOf(form, words))
}

/** Whether one password is a pattern: one sign or a few over and over, or a run along the alphabet or the digits. */
export function isPattern(password: string): boolean {
  const text = password.toLowerCase()
  for (let length = 1; length <= 4; length += 1) {
    const unit = text.slice(0, length)
    if (unit.repeat(Math.ceil(text.length / length)).slice(0, text.length) === text) return true
  }
  return isRun(text, 1) || isRun(text, -1)
}

function expectedWords({ email, name = '' }: AboutPerson, siteNames: readonly string[]): string[] {
  const [local = '', domain = ''] = email.split('@')
  const phrases = [email, local, domain, domain.split('.')[0] ?? '', name, ...siteNames]
  const words = phrases.flatMap((phrase) => [phrase, ...phrase.split(filler)])
  return words.map(folded).filter((word) => word.length >= meaningfulMinChars)
}

function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(filler, '')
}

/** Whether a text is nothing but words of a set, one after the other, and digits between them. */
function isMadeOf(text: string, words: ReadonlySet<string>): boolean {
  if (text === '') return false
  const reach = new Uint8Array(text.length + 1)
  const isWordBefore = new Uint8Array(text.length + 1)
  reach[0] = 1
  for (let at = 0; at < text.length; at += 1) {
    if (reach[at] !== 1) continue
    if (/\p{N}/u.test(text[at] ?? '')) {
      reach[at + 1] = 1
      isWordBefore[at + 1] = Math.max(isWordBefore[at + 1] ?? 0, isWordBefore[at] ?? 0)
    }
    for (const word of words) {
      if (!text.startsWith(word, at)) continue
      reach[at + word.length] = 1
      isWordBefore[at + word.length] = 1
    }
  }
  return reach[text.length] === 1 && isWordBefore[text.length] === 1
}

function isRun(text: string, step: number): boolean {
  for (let index = 1; index < text.length; index += 1) {
    const distance = text.charCodeAt(index) - text.charCodeAt(index - 1)
    // From 9 to 0 and from z to a the run goes on.
    if (distance !== step && distance !== -9 * step && distance !== -25 * step) return false
  }
  return text.length > 1
}

function reversed(text: string): string {
  return [...text].reverse().join('')
}
