import { type Resource, type RowAction, resourceOf, type Scope } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import {
  refusal,
  requireInsertable,
  requirePlain,
  stampedInsert,
  updateStamps,
  type Values,
} from '../orm/index.ts'
import { plain, requireKnown } from './arguments.ts'
import { type Filter, type FilterParts, type JudgedAction, ruleFilter } from './rules.ts'

/** Whose rows, and under which rules. */
export interface PrismaScope {
  /** Every resource that a rule may ask about. */
  readonly resources: readonly Resource[]
  /** The resource of each model, by the name of the model: `{ Note, Share }`. */
  readonly models: Readonly<Record<string, Resource>>
  readonly scope: Scope
}

interface Operation {
  readonly model?: string | undefined
  readonly operation: string
  readonly args: unknown
  readonly query: (args: unknown) => Promise<unknown>
}

/** What `$extends` takes. */
export interface PrismaExtension {
  readonly name: string
  readonly query: { readonly $allOperations: (operation: Operation) => Promise<unknown> }
}

/**
 * A Prisma client extension under which every query of one caller reaches the rows that the row rules let them reach,
 * and nothing else. Raw queries, relations and nested writes are refused.
 *
 * @param client The client that is extended; rules that ask about other tables read them through it.
 * @throws `INTERNAL` for resources with encrypted, secret or withheld columns.
 * @see OWASP ASVS 5.0 §8.2.2, §1.2.4
 * @example const mine = prisma.$extends(rowRules(prisma, { resources, models: { Note, Share }, scope }))
 */
export function rowRules(client: object, { resources, models, scope }: PrismaScope): PrismaExtension {
  for (const resource of Object.values(models)) requirePlain(resource)
  const parts: FilterParts = { resources, scope, read: reader(client, models) }
  return {
    name: 'holdfast',
    query: {
      async $allOperations({ model, operation, args, query }) {
        if (model === undefined)
          throw refusal(`"${operation}" is raw, and the row rules cannot be applied to a text`)
        const resource = Object.hasOwn(models, model) ? models[model] : undefined
        if (resource === undefined) throw refusal(`the model "${model}" is no resource`)
        const given = plain(args, 'the arguments')
        requireKnown(resource, operation, given)
        try {
          return await query(await ruled(parts, resource, operation, given))
        } catch (error) {
          throw problemOf(error)
        }
      },
    },
  }
}

async function ruled(
  parts: FilterParts,
  resource: Resource,
  operation: string,
  given: Values,
): Promise<Values> {
  switch (operation) {
    case 'create':
      return { ...given, data: await inserted(parts, resource, given['data']) }
    case 'createMany':
    case 'createManyAndReturn': {
      const rows = [given['data']].flat()
      return { ...given, data: await Promise.all(rows.map((row) => inserted(parts, resource, row))) }
    }
    case 'update':
    case 'updateMany':
    case 'updateManyAndReturn':
      return await updated(parts, resource, given, 'data')
    case 'upsert':
      return {
        ...(await updated(parts, resource, given, 'update')),
        create: await inserted(parts, resource, given['create']),
      }
    case 'delete':
    case 'deleteMany':
      return await filtered(parts, resource, given, ['delete'])
    default:
      return await filtered(parts, resource, given, ['read'])
  }
}

async function inserted(parts: FilterParts, resource: Resource, data: unknown): Promise<Values> {
  const row = stampedInsert(resource, parts.scope, values(data), new Date())
  await requireInsertable(resource, row, parts.scope, (table, key, action) =>
    mayReach(parts, table, key, action),
  )
  return row
}

async function updated(
  parts: FilterParts,
  resource: Resource,
  given: Values,
  member: 'data' | 'update',
): Promise<Values> {
  const data = values(given[member])
  const { changed, counted, isTransfer } = updateStamps(resource, Object.keys(data), new Date())
  const stamps = Object.fromEntries(counted.map((column) => [column, { increment: 1 }]))
  const actions: JudgedAction[] = isTransfer ? ['update', 'transfer'] : ['update']
  return {
    ...(await filtered(parts, resource, given, actions)),
    [member]: { ...data, ...changed, ...stamps },
  }
}

async function filtered(
  parts: FilterParts,
  resource: Resource,
  given: Values,
  actions: readonly JudgedAction[],
): Promise<Values> {
  const rules = await Promise.all(actions.map((action) => ruleFilter(parts, resource, action)))
  const where = plain(given['where'], 'where')
  // What names the row stays at the top, where Prisma looks for it.
  return { ...given, where: { ...where, AND: [...[where['AND'] ?? []].flat(), ...rules] } }
}

const operators: ReadonlySet<string> = new Set([
  'set',
  'increment',
  'decrement',
  'multiply',
  'divide',
  'push',
])

/** Values of columns. @throws `INTERNAL` for nested writes */
function values(data: unknown): Values {
  const given = plain(data, 'data')
  for (const value of Object.values(given)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue
    if (value instanceof Date || value instanceof Uint8Array) continue
    if (!Object.keys(value).every((name) => operators.has(name))) throw refusal('data holds a nested write')
  }
  return given
}

async function mayReach(
  parts: FilterParts,
  table: string,
  key: unknown,
  action: RowAction,
): Promise<boolean> {
  if (typeof key !== 'string' && typeof key !== 'number') return false
  const parent = resourceOf(parts.resources, table)
  const filter = { AND: [{ [parent.key]: key }, await ruleFilter(parts, parent, action)] }
  return (await parts.read(table, parent.key, filter, 1)).length > 0
}

/** Reads past the rules, for the rules themselves. */
function reader(client: object, models: Readonly<Record<string, Resource>>): FilterParts['read'] {
  return async (table, column, filter, limit) => {
    const [model] = Object.entries(models).find(([, resource]) => resource.table === table) ?? []
    if (model === undefined) throw refusal(`a rule asks about "${table}", and no model is given for it`)
    const delegate: unknown = Reflect.get(client, model.charAt(0).toLowerCase() + model.slice(1))
    if (!canFindMany(delegate)) throw refusal(`the client has no model "${model}"`)
    const rows = await delegate.findMany({ where: filter, select: { [column]: true }, take: limit })
    return rows.map((row) => row[column])
  }
}

function canFindMany(
  delegate: unknown,
): delegate is { findMany: (args: Filter) => Promise<readonly Readonly<Record<string, unknown>>[]> } {
  return typeof Object(delegate).findMany === 'function'
}

/** Prisma's word for a row that is not there. */
function problemOf(error: unknown): unknown {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  if (code === 'P2025') return new Problem('NOT_FOUND', 'a query had no row', { cause: error })
  if (code === 'P2002' || code === 'P2003')
    return new Problem('CONFLICT', 'a constraint refuses it', { cause: error })
  return error
}
