import type { RoutePlan } from '../route/index.ts'
import { exampleOf } from './example.ts'
import { membersOf } from './schema-nodes.ts'

/**
 * The command line to try a route with, over several lines.
 *
 * Everything that comes from the application stands in single quotes: whoever pastes the line into a shell must not
 * run what a path or a default says.
 */
export function curlOf({ method, path, access, schemas }: RoutePlan, origin: string): string {
  const { params, query, body } = schemas
  const values = new Map(
    (params === undefined ? [] : membersOf(params)).map(({ name, schema }) => [
      name,
      exampleOf(schema, params, name),
    ]),
  )
  const filled = path
    .split('/')
    .map((segment) => {
      const value = segment.startsWith(':') ? values.get(segment.slice(1)) : undefined
      return value === undefined ? segment : encodeURIComponent(String(value))
    })
    .join('/')
  const search = new URLSearchParams(
    (query === undefined ? [] : membersOf(query))
      .filter(({ isRequired }) => isRequired)
      .map(({ name, schema }) => [name, String(exampleOf(schema, query, name))]),
  ).toString()
  const address = `${origin}${filled}${search === '' ? '' : `?${search}`}`
  const lines = [
    `curl ${method === 'GET' ? '' : `-X ${quoted(method)} `}${quoted(address)}`,
    // In double quotes, because the shell puts the token there: it is the only thing that it may fill in.
    ...(access.kind === 'open' ? [] : ['-H "Authorization: Bearer $TOKEN"']),
    ...(body === undefined
      ? []
      : [`-H 'Content-Type: application/json'`, `-d ${quoted(bodyText(exampleOf(body)))}`]),
  ]
  return lines.join(' \\\n  ')
}

const lineChars = 60

function bodyText(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length <= lineChars ? text : JSON.stringify(value, null, 2)
}

/** A word for a POSIX shell, taken as it is written. */
function quoted(text: string): string {
  return /^[A-Za-z]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
