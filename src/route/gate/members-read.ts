/** The parts of a request that a context can hold. */
type InputPart = 'params' | 'query' | 'body'

const parts: readonly InputPart[] = ['params', 'query', 'body']

/**
 * The parts of the request that a handler's own text reads, whether it takes its context apart in its parameter
 * list or by name.
 *
 * The types refuse an undeclared part already; this finds it for JavaScript and for a schema that was deleted
 * without compiling. It only ever adds a refusal, so what it misses is no hole: the pipeline gives a handler
 * nothing that no schema has described.
 */
export function membersRead(handler: (context: never) => unknown): InputPart[] {
  const text = Function.prototype.toString.call(handler)
  const destructured = /^(?:async\s*)?(?:function\s*\w*\s*)?\(\s*\{([^}]*)\}/.exec(text)?.[1]
  if (destructured !== undefined) {
    const names = destructured.split(',').map((part) => part.split(/[:=]/)[0]?.trim())
    return parts.filter((part) => names.includes(part))
  }
  const name = /^(?:async\s*)?(?:function\s*\w*\s*)?\(?\s*([A-Za-z_$][\w$]*)/.exec(text)?.[1]
  if (name === undefined) return []
  const escaped = name.replaceAll('$', '\\$')
  return parts.filter((part) => new RegExp(`(?<![\\w$.])${escaped}\\s*\\.\\s*${part}(?![\\w$])`).test(text))
}
