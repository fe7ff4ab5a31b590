/** Why a query string was not read. */
export type QueryRefusal = 'too-many-parameters' | 'malformed-encoding'

/** A query string as it was sent: one text per name, or all of them in order when a name stands twice. */
export type Query = Record<string, string | string[]>

// The router calls the parser where an exception would end the process, so a refusal travels as the parsed value
// and becomes a reply later.
const refused: Readonly<Record<QueryRefusal, Query>> = {
  'too-many-parameters': Object.freeze({}),
  'malformed-encoding': Object.freeze({}),
}

/**
 * Makes a parser for query strings: flat names, no brackets with a meaning, repeated names as lists.
 *
 * The result has no prototype, so `__proto__` is a name like any other. It never throws.
 *
 * @param parameterCount The most parameters it reads.
 */
export function queryParser(parameterCount: number): (text: string) => Query {
  return (text) => {
    const query: Query = Object.create(null)
    if (text === '') return query
    let count = 0
    for (let start = 0; start <= text.length; ) {
      const ampersand = text.indexOf('&', start)
      const end = ampersand === -1 ? text.length : ampersand
      if (end > start) {
        if (++count > parameterCount) return refusal('too-many-parameters')
        const equals = text.indexOf('=', start)
        const split = equals === -1 || equals > end ? end : equals
        const name = decode(text.slice(start, split))
        const value = decode(text.slice(split + 1, end))
        if (name === undefined || value === undefined) return refusal('malformed-encoding')
        add(query, name, value)
      }
      start = end + 1
    }
    return query
  }
}

/** Why the parser refused, given its result; `undefined` when it did not. */
export function queryRefusal(query: unknown): QueryRefusal | undefined {
  if (query === refused['too-many-parameters']) return 'too-many-parameters'
  return query === refused['malformed-encoding'] ? 'malformed-encoding' : undefined
}

function refusal(reason: QueryRefusal): Query {
  return refused[reason]
}

function add(query: Query, name: string, value: string): void {
  const known = query[name]
  if (known === undefined) query[name] = value
  else if (Array.isArray(known)) known.push(value)
  else query[name] = [known, value]
}

function decode(part: string): string | undefined {
  const text = part.includes('+') ? part.replaceAll('+', ' ') : part
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
