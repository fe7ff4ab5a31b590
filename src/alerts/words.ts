import { isIP } from 'node:net'

const networkPattern = /^(?<address>[0-9a-fA-F.:]+)\/\d{1,3}$/

/**
 * A text on one line, without anything that does not print: control characters, which begin new headers and move
 * cursors, and format characters, which hide text or turn it round.
 *
 * @see OWASP ASVS 5.0 §1.2.1, §16.4.1; CVE-2021-42574 (text that reads differently than it is)
 */
export function oneLine(text: string, maxChars: number): string {
  const line = text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  if (line.length <= maxChars) return line
  return `${[...line].slice(0, maxChars - 1).join('')}…`
}

/**
 * Words that came from outside, as they may stand in a message: letters, digits, spaces, hyphens and underscores.
 * Without a full stop, a slash, a colon, an `@` or a `<` no program makes a link or a mention of them.
 *
 * @example plainWords('<!channel> http://evil.example', 60) // 'channel http evil example'
 */
export function plainWords(text: string, maxChars: number): string {
  const words = text.replace(/[^\p{L}\p{N}_-]+/gu, ' ').trim()
  return [...words].slice(0, maxChars).join('').trim()
}

/** A sentence of ours, into which something from outside may have got: addresses stay, everything else is plain words. */
export function plainSentence(text: string, maxChars: number): string {
  const words = oneLine(text, maxChars)
    .split(' ')
    .map((word) => {
      const { head = '', core = '', tail = '' } = sides.exec(word)?.groups ?? {}
      return `${head}${isAddress(core) ? core : plainWords(core, maxChars)}${tail}`
    })
  return words.filter((word) => word !== '').join(' ')
}

const sides = /^(?<head>\(?)(?<core>.*?)(?<tail>[%,.;:)]?[,.;]?)$/su

/** An address or a network; what is none is not repeated. */
export function shownAddress(text: string): string {
  return isAddress(text) ? text : 'no address'
}

/** The id of an account or a session. */
export function shownId(text: string): string {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text) ? text : plainWords(text, 64)
}

/** The pattern of a route. */
export function shownRoute(text: string): string {
  return /^[A-Z]{3,7} (\/[\w.:{}*~-]*)+$/.test(text) ? text : plainWords(text, 100)
}

function isAddress(text: string): boolean {
  return isIP(networkPattern.exec(text)?.groups?.['address'] ?? text) !== 0
}
