import type { Resource } from '../data/index.ts'
import { refusal, requireColumns, type Values } from '../orm/index.ts'

// What each operation may be given. What is not here is refused: an argument that a later Prisma adds has to be
// understood before it may pass.
const reading = ['where', 'orderBy', 'cursor', 'take', 'skip', 'distinct', 'select', 'omit'] as const
const counting = ['where', 'orderBy', 'cursor', 'take', 'skip', 'select'] as const
const totals = ['_count', '_avg', '_sum', '_min', '_max'] as const

/** The operations that can be held to the rules, with their arguments. */
export const knownArguments: Readonly<Record<string, readonly string[]>> = {
  findUnique: ['where', 'select', 'omit'],
  findUniqueOrThrow: ['where', 'select', 'omit'],
  findFirst: reading,
  findFirstOrThrow: reading,
  findMany: reading,
  count: counting,
  aggregate: ['where', 'orderBy', 'cursor', 'take', 'skip', ...totals],
  groupBy: ['where', 'orderBy', 'by', 'having', 'take', 'skip', ...totals],
  create: ['data', 'select', 'omit'],
  createMany: ['data', 'skipDuplicates'],
  createManyAndReturn: ['data', 'skipDuplicates', 'select', 'omit'],
  update: ['where', 'data', 'select', 'omit'],
  updateMany: ['where', 'data', 'limit'],
  updateManyAndReturn: ['where', 'data', 'limit', 'select', 'omit'],
  upsert: ['where', 'create', 'update', 'select', 'omit'],
  delete: ['where', 'select', 'omit'],
  deleteMany: ['where', 'limit'],
}

/** A plain object. @throws `INTERNAL` for anything else */
export function plain(given: unknown, what: string): Values {
  if (given === undefined) return {}
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw refusal(`${what} is no object`)
  return { ...given }
}

/** @throws `INTERNAL` for arguments that reach beyond the columns of the resource */
export function requireKnown(resource: Resource, operation: string, given: Values): void {
  const known = knownArguments[operation]
  if (known === undefined) throw refusal(`"${operation}" cannot be held against the row rules`)
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!known.includes(name)) throw refusal(`"${operation}" takes no "${name}" here`)
    requireArgument(resource, name, value)
  }
}

function requireArgument(resource: Resource, name: string, value: unknown): void {
  switch (name) {
    case 'where':
    case 'having':
    case 'cursor':
      requireFilter(resource, value)
      return
    case 'by':
    case 'distinct':
      requireColumns(resource, [value].flat().map(String), name)
      return
    case 'orderBy':
      for (const order of [value].flat()) requireOrder(resource, plain(order, name))
      return
    case 'select':
    case 'omit':
    case '_avg':
    case '_sum':
    case '_min':
    case '_max':
      requireFlags(resource, name, value)
      return
    case '_count':
      if (value !== true) requireFlags(resource, name, value)
      return
    default:
      // data, create and update are looked at where they are stamped; the others are numbers and flags.
      return
  }
}

const joiners: readonly string[] = ['AND', 'OR', 'NOT']

/** A filter over the columns of the row itself: one on a relation would tell about rows of others. */
function requireFilter(resource: Resource, given: unknown): void {
  for (const part of [given].flat()) {
    for (const [name, value] of Object.entries(plain(part, 'a filter'))) {
      if (joiners.includes(name)) requireFilter(resource, value)
      else if (!totals.some((total) => total === name)) requireColumns(resource, [name], 'a filter')
    }
  }
}

function requireOrder(resource: Resource, order: Values): void {
  for (const [name, value] of Object.entries(order)) {
    if (totals.some((total) => total === name))
      requireColumns(resource, Object.keys(plain(value, name)), name)
    else requireColumns(resource, [name], 'orderBy')
  }
}

function requireFlags(resource: Resource, name: string, value: unknown): void {
  const flags = plain(value, name)
  requireColumns(
    resource,
    Object.keys(flags).filter((column) => column !== '_all'),
    name,
  )
  if (Object.values(flags).some((flag) => typeof flag === 'object'))
    throw refusal(`"${name}" takes true and false here`)
}
