import type { Alternative, Scalar, Shape, TextRule } from './shape.ts'

/** What is said of a key (or an item) that the schema does not declare. */
export const undeclaredKey = 'has a key that is not declared'

/** What is said where the schema has no words for what is wrong: a refinement, a comparison of two members. */
export const notAcceptable = 'is not acceptable'

// A message longer than this helps nobody.
const maxOptionCount = 40

const remembered = new WeakMap<readonly Alternative[], string>()

/**
 * What is expected at a place, in words made from the schema alone. The libraries' own messages quote what was sent
 * (Joi its keys, arktype and valibot its values), so none of them is ever shown.
 *
 * @see OWASP ASVS 5.0 §16.5.1 (a generic message)
 * @example 'expected a string of at most 200 characters or null'
 */
export function expectationOf({ alternatives }: Pick<Shape, 'alternatives'>): string {
  const known = remembered.get(alternatives)
  if (known !== undefined) return known
  const message = sentenceOf(alternatives)
  remembered.set(alternatives, message)
  return message
}

/**
 * What to say of a value that the library refused although its structure is right: its form when the schema has one,
 * its length when only white space makes it long enough.
 */
export function refusalOf(shape: Shape, value: unknown): string {
  const texts = shape.alternatives.filter(
    ({ kinds, values }) => kinds?.has('string') === true && values === null,
  )
  if (typeof value !== 'string' || texts.length === 0) return notAcceptable
  const trimmedCount = value.trim().length
  return texts.some(({ text }) => text.format !== null || text.hasForm || trimmedCount < text.minCount)
    ? expectationOf(shape)
    : notAcceptable
}

function sentenceOf(alternatives: readonly Alternative[]): string {
  if (alternatives.length === 0) return 'must be absent'
  if (alternatives.some(({ kinds }) => kinds === null)) return notAcceptable
  const options = new Set<Scalar>()
  const phrases = { text: new Set<string>(), number: new Set<string>(), other: new Set<string>(), record: 0 }
  for (const { kinds, values, text, number, list } of alternatives) {
    const format = formatPhrase(text)
    if (values !== null && format === undefined) for (const value of values) options.add(value)
    if (values !== null && format !== undefined) phrases.text.add(format)
    if (values !== null || kinds === null) continue
    if (kinds.has('string')) phrases.text.add(format ?? textPhrase(text))
    if (kinds.has('number')) phrases.number.add(numberPhrase(number))
    if (kinds.has('boolean')) phrases.other.add('true or false')
    if (kinds.has('array')) phrases.other.add(`a list${countPhrase(list.minCount, list.maxCount, 'item')}`)
    if (kinds.has('object')) phrases.record++
    if (kinds.has('null')) options.add(null)
  }
  const found = [...inOrder(phrases.text), ...inOrder(phrases.number), ...inOrder(phrases.other)]
  if (phrases.record > 0)
    found.push(phrases.record === 1 ? 'an object' : 'an object of one of the declared shapes')
  const named = [...options].filter((option) => option !== null)
  if (named.length > maxOptionCount) found.push('one of the declared values')
  else if (named.length > 0) found.push(`one of: ${named.map(optionText).sort(byValue).join(', ')}`)
  if (options.has(null)) found.push('null')
  return `expected ${found.join(' or ')}`
}

function inOrder(phrases: ReadonlySet<string>): string[] {
  return [...phrases].sort()
}

function optionText(option: Scalar): string {
  return String(option)
}

// Libraries list options in orders of their own; numbers are compared as numbers.
function byValue(a: string, b: string): number {
  const difference = Number(a) - Number(b)
  if (!Number.isNaN(difference)) return difference
  return a < b ? -1 : a > b ? 1 : 0
}

const formats: ReadonlyMap<string, string> = new Map([
  ['uuid', 'a UUID'],
  ['email', 'an e-mail address'],
  ['uri', 'a URL'],
  ['date', 'a date (YYYY-MM-DD)'],
  ['date-time', 'a date and time (ISO 8601)'],
  ['time', 'a time (HH:MM)'],
  ['ipv4', 'an IPv4 address'],
  ['ipv6', 'an IPv6 address'],
])

function formatPhrase({ format, maxCount }: TextRule): string | undefined {
  const phrase = format === null ? undefined : formats.get(format)
  if (phrase === undefined || (format !== 'email' && format !== 'uri')) return phrase
  return `${phrase}${countPhrase(0, maxCount, 'character')}`
}

function textPhrase({ minCount, maxCount, hasForm }: TextRule): string {
  return `a string${countPhrase(minCount, maxCount, 'character')}${hasForm ? ' in the required form' : ''}`
}

function countPhrase(min: number, max: number | null, noun: string): string {
  if (min === 0 && max === null) return ''
  if (min === max) return ` of exactly ${min} ${noun}${min === 1 ? '' : 's'}`
  if (max === null) return ` of at least ${min} ${noun}${min === 1 ? '' : 's'}`
  const range = min === 0 ? `at most ${max}` : `${min} to ${max}`
  return ` of ${range} ${noun}${max === 1 ? '' : 's'}`
}

function numberPhrase({ whole, min, max, above, below, step }: Alternative['number']): string {
  const bounds: string[] = []
  if (min !== null && max !== null) bounds.push(`from ${min} to ${max}`)
  else if (min !== null) bounds.push(`of at least ${min}`)
  else if (max !== null) bounds.push(`of at most ${max}`)
  if (above !== null) bounds.push(`above ${above}`)
  if (below !== null) bounds.push(`below ${below}`)
  if (step !== null && step !== 1) bounds.push(`in steps of ${step}`)
  return [whole ? 'a whole number' : 'a number', ...bounds].join(' ')
}
