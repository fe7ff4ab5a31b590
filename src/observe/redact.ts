import { nodeHttp } from '../base/index.ts'
import { verdictOf } from './sensitive-names.ts'
import { isCardNumber, safeText } from './sensitive-shapes.ts'

// One log line stays small whatever it is given: an attacker who chooses the object must not choose the volume.
const maxDepth = 8
const maxEntryCount = 64
const maxNodeCount = 1_000
const maxCauseCount = 5

interface Walk {
  /** The objects from the root down to here; meeting one again is a cycle. */
  readonly path: object[]
  nodeCount: number
  /** More names that are sensitive, in lower case. */
  readonly names: ReadonlySet<string>
}

const noNames: ReadonlySet<string> = new Set()

/**
 * A copy of the fields of a log line that may be written: sensitive by name or by shape replaced at any depth,
 * request bodies, queries and headers left out, cycles and huge values cut.
 *
 * @param names What else is sensitive by its name, in lower case.
 * @see OWASP ASVS 5.0 §16.2.5
 * @example redactFields({ user: 'u1', apiKey: 'abc' }) // { user: 'u1', apiKey: '[redacted]' }
 */
export function redactFields(fields: object, names: ReadonlySet<string> = noNames): Record<string, unknown> {
  const walk: Walk = { path: [], nodeCount: 0, names }
  if (fields instanceof Error) return { err: redactError(fields, walk) }
  return redactEntries(fields, walk)
}

/** A copy of one value that may be written to the log. */
export function redactValue(value: unknown, names: ReadonlySet<string> = noNames): unknown {
  return redact(value, { path: [], nodeCount: 0, names })
}

function redact(value: unknown, walk: Walk): unknown {
  switch (typeof value) {
    case 'string':
      return safeText(value)
    case 'number':
      return isCardNumber(String(value)) ? '[card]' : value
    case 'bigint':
      return safeText(String(value))
    case 'boolean':
    case 'undefined':
      return value
    case 'object':
      return value === null ? null : redactObject(value, walk)
    default:
      return `[${typeof value}]`
  }
}

function redactObject(value: object, walk: Walk): unknown {
  if (walk.path.includes(value)) return '[circular]'
  if (walk.path.length >= maxDepth || walk.nodeCount >= maxNodeCount) return '[cut]'
  walk.path.push(value)
  try {
    return describe(value, walk)
  } catch {
    // A getter or a toJSON that throws must not take the log line with it.
    return '[unreadable]'
  } finally {
    walk.path.pop()
  }
}

function describe(value: object, walk: Walk): unknown {
  if (value instanceof Error) return redactError(value, walk)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString()
  if (value instanceof URL) return safeText(`${value.origin}${value.pathname}`)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  const message = rawMessageOf(value)
  if (message !== undefined) return message
  if (Array.isArray(value)) return redactList(value, walk)
  if (value instanceof Set) return redactList([...value], walk)
  if (value instanceof Map) return redactEntries(Object.fromEntries(value), walk)
  // Among others a Secret, which prints itself as hidden.
  if ('toJSON' in value && typeof value.toJSON === 'function') return redact(value.toJSON(), walk)
  return redactEntries(value, walk)
}

function redactEntries(value: object, walk: Walk): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  const names = Object.keys(value)
  for (const name of names.slice(0, maxEntryCount)) {
    walk.nodeCount++
    copy[safeText(name.slice(0, 200))] = redactEntry(name, Reflect.get(value, name), walk)
  }
  if (names.length > maxEntryCount) copy['[cut]'] = names.length - maxEntryCount
  return copy
}

function redactEntry(name: string, value: unknown, walk: Walk): unknown {
  if (value === undefined || value === null) return value
  const verdict = verdictOf(name)
  if (verdict === 'sensitive' || walk.names.has(name.toLowerCase())) return '[redacted]'
  if (verdict === 'request-part') return '[not logged]'
  if (typeof value === 'string' && /url$/i.test(name)) return safeText(value.split(/[?#]/, 1)[0] ?? '')
  return redact(value, walk)
}

function redactList(list: readonly unknown[], walk: Walk): unknown[] {
  const copy: unknown[] = []
  for (const item of list.slice(0, maxEntryCount)) {
    walk.nodeCount++
    copy.push(redact(item, walk))
  }
  if (list.length > maxEntryCount) copy.push(`[cut: ${list.length - maxEntryCount} more]`)
  return copy
}

function redactError(error: Error, walk: Walk): Record<string, unknown> {
  const record: Record<string, unknown> = {
    type: safeText(String(error.name)),
    message: safeText(String(error.message)),
    stack: safeText(String(error.stack ?? '')),
  }
  for (const [name, value] of Object.entries(redactEntries(error, walk))) record[name] ??= value
  if (error.cause !== undefined) record['cause'] = redactCause(error.cause, walk)
  if (error instanceof AggregateError) record['errors'] = redactList(error.errors, walk)
  return record
}

function redactCause(cause: unknown, walk: Walk): unknown {
  const errorsAbove = walk.path.filter((value) => value instanceof Error).length
  return errorsAbove > maxCauseCount ? '[cut]' : redact(cause, walk)
}

// A Fastify request or reply has its Node counterpart in `raw`. Of both only method, path and status are written.
function rawMessageOf(value: object): Record<string, unknown> | undefined {
  const raw = 'raw' in value ? value.raw : value
  if (raw instanceof nodeHttp.IncomingMessage) {
    return { method: raw.method, path: safeText((raw.url ?? '').split('?', 1)[0] ?? '') }
  }
  if (raw instanceof nodeHttp.ServerResponse) return { status: raw.statusCode }
  return undefined
}
