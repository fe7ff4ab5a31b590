/** The methods a route can have. HEAD follows GET, OPTIONS is answered from the registry. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Method and path in one string: `'GET /api/notes/:id'`. */
export type Address = `${Method} /${string}`

/** The names of the path parameters of an address: `'id'`. */
export type ParameterOf<A extends string> = A extends `${string}/:${infer Name}/${infer Rest}`
  ? Name | ParameterOf<`/${Rest}`>
  : A extends `${string}/:${infer Name}`
    ? Name
    : never

/** An address taken apart. */
export interface ParsedAddress {
  readonly method: Method
  readonly path: string
  /** Parameter names in order. */
  readonly parameters: readonly string[]
}

const methods: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] satisfies readonly Method[]

/** True for the methods that must not change anything (RFC 9110 §9.2.1). */
export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

/**
 * Takes an address apart; the answer is a sentence when it is none.
 *
 * Only plain segments and `:name` are accepted: no wildcards, no regular expressions, no optional parts, so
 * that two addresses can be compared and nothing matches more than it says.
 */
export function parseAddress(address: string): ParsedAddress | string {
  const space = address.indexOf(' ')
  const method = address.slice(0, space)
  const path = address.slice(space + 1)
  if (!isMethod(method))
    return `an address starts with one of ${methods.join(', ')}, then one space and a path`
  if (path !== '/' && !/^(\/([A-Za-z0-9._~-]+|:[A-Za-z][A-Za-z0-9]*))+$/.test(path)) {
    return 'a path is made of /plain-segments and /:parameters, with no slash at the end'
  }
  const parameters = path
    .split('/')
    .filter((segment) => segment.startsWith(':'))
    .map((segment) => segment.slice(1))
  if (new Set(parameters).size !== parameters.length) return 'a parameter name stands twice in the path'
  return { method, path, parameters }
}

function isMethod(text: string): text is Method {
  return methods.includes(text)
}
