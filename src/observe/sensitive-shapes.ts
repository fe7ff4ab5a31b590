/** The longest text that one log field keeps, in characters. */
export const maxTextChars = 8_192

interface Shape {
  readonly pattern: RegExp
  readonly replacement: string
}

// Each pattern starts at a fixed prefix or is bounded in length, so that hostile text costs linear time (ASVS 1.3.12).
// A value that was cut short must still be caught: none of them needs its end.
const shapes: readonly Shape[] = [
  {
    pattern: /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
    replacement: '[private key]',
  },
  { pattern: /\beyJ[\w-]{10,}(?:\.[\w-]*){0,4}/g, replacement: '[jwt]' },
  { pattern: /\b(Bearer|Basic|DPoP)[ \t]+[\w.~+/=-]{8,}/gi, replacement: '$1 [redacted]' },
  { pattern: /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/]{1,256}@/gi, replacement: '$1[redacted]@' },
  {
    pattern:
      /([?&;](?:[\w-]{0,32})(?:token|code|secret|password|key|signature|sig|otp|state|assertion)=)[^&\s"'#]+/gi,
    replacement: '$1[redacted]',
  },
  { pattern: /\b(?:hf|holdfast|sk|pk|rk|ghp|gho|ghs|xox[abp]|glpat)[_-][\w-]{16,}/g, replacement: '[key]' },
  { pattern: /\bAKIA[0-9A-Z]{16}\b/g, replacement: '[key]' },
  // 256 bits and more, as hexadecimal or base64: the size of every secret that Holdfast makes.
  { pattern: /(?<![\w-])[0-9a-f]{64,}(?![\w-])/gi, replacement: '[key]' },
  { pattern: /(?<![\w+/=-])[A-Za-z0-9+/]{43}=(?![\w+/=])/g, replacement: '[key]' },
  {
    pattern: /(?<![\w-])(?=[\w-]{0,200}[a-z])(?=[\w-]{0,200}[A-Z])(?=[\w-]{0,200}[0-9])[\w-]{43,}(?![\w-])/g,
    replacement: '[key]',
  },
]

const cardLike = /(?<![\w.-])[2-6](?:[ -]?\d){12,18}(?![\w.-])/g

// Line separators that JSON leaves alone but some readers take as line ends, C1 controls that a terminal obeys,
// and marks that turn the reading direction: with any of them a value could pose as another line (ASVS 16.4.1).
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is its purpose
const forging = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/**
 * Takes everything out of a text that has the shape of a secret, and everything that could forge a log line.
 * Longer texts are cut to 8,192 characters.
 *
 * @see OWASP ASVS 5.0 §16.2.5, §16.4.1
 */
export function safeText(text: string): string {
  let safe = text.length > maxTextChars ? `${text.slice(0, maxTextChars)}[cut]` : text
  for (const { pattern, replacement } of shapes) safe = safe.replace(pattern, replacement)
  safe = safe.replace(cardLike, (match) => (isCardNumber(match) ? '[card]' : match))
  return safe.replace(forging, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** True for digits that have the length and the check digit of a payment card (Luhn, ISO/IEC 7812-1). */
export function isCardNumber(text: string): boolean {
  const digits = text.replaceAll(/[ -]/g, '')
  // Thirteen digits are also milliseconds since 1970; only the old Visa form starts with 4.
  if (!/^(?:4\d{12}|[2-6]\d{13,18})$/.test(digits)) return false
  let sum = 0
  for (const [place, digit] of [...digits].reverse().entries()) {
    const doubled = Number(digit) * (place % 2 === 0 ? 1 : 2)
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
