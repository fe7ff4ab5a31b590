import { z } from 'zod'
import {
  allOf,
  anyCaller,
  anyOf,
  callerHas,
  callerIs,
  granted,
  type RowRule,
  resource,
  type ServerFill,
  shared,
  through,
  where,
} from '../../src/data/index.ts'
import type { Choices } from './choices.ts'
import { type Column, integers, modes, roles, type Table, tenants, times, users, words } from './world.ts'

/** As many keys as a table has rows at most. */
export const mostRows = 8

const keyLists = new Map<string, readonly string[]>()

/** The keys that rows of a table can have, the same list each time. */
export function keysOf(table: string): readonly string[] {
  const known = keyLists.get(table)
  if (known !== undefined) return known
  const keys = Array.from({ length: mostRows }, (_, index) => `${table}${index + 1}`)
  keyLists.set(table, keys)
  return keys
}

/** A table whose rules are not written yet. */
interface Draft {
  readonly name: string
  readonly key: string
  readonly owner: 'column' | 'shared' | { readonly parent: string }
  readonly tenant: boolean
  /** The table of its grants. */
  readonly grants: string | undefined
  /** The table whose rows it links to beside its owner. */
  readonly link: string | undefined
  readonly isGrants: boolean
  readonly columns: readonly Column[]
  readonly server: Readonly<Record<string, ServerFill>>
  readonly once: boolean
  /** Who is given the column `hid`; `undefined` where there is none. */
  readonly hidFor: readonly string[] | undefined
}

/** Tables with rules: two to four, and the tables of their grants. */
export function schema(choices: Choices): Table[] {
  const hasTenants = choices.chance(45)
  const drafts: Draft[] = []
  const names = ['ta', 'tb', 'tc', 'td'].slice(0, 2 + choices.below(3))
  for (const name of names) {
    const hasGrants = choices.chance(drafts.length === 0 ? 75 : 35)
    const grants = hasGrants ? name.replace('t', 'g') : undefined
    const draft = draftOf(choices, name, drafts, { hasTenants, grants })
    drafts.push(draft)
    if (grants !== undefined) drafts.push(grantsDraft(choices, grants, draft, hasTenants))
  }
  return drafts.map((draft) => tableOfDraft(choices, draft, drafts))
}

function draftOf(
  choices: Choices,
  name: string,
  earlier: readonly Draft[],
  { hasTenants, grants }: { readonly hasTenants: boolean; readonly grants: string | undefined },
): Draft {
  const others = earlier.filter((draft) => !draft.isGrants)
  const kind = choices.weighted({ column: 5, through: others.length > 0 ? 4 : 0, shared: 1 })
  const parents = others.filter(({ owner }) => owner !== 'shared')
  const parent = kind === 'through' ? choices.any(parents)?.name : undefined
  const owner = kind === 'shared' ? 'shared' : parent === undefined ? 'column' : { parent }
  const tenant = hasTenants && choices.chance(70)
  const link = choices.chance(35) ? choices.any(others)?.name : undefined
  const key = choices.chance(20) ? 'ref' : 'id'
  const isKeyFilled = choices.chance(35)
  const hasTimes = choices.chance(25)
  const hasRevision = choices.chance(30)
  const once = choices.chance(20)
  const hidFor = choices.chance(25) ? [choices.pick(roles)] : undefined
  const columns: Column[] = [
    { name: key, type: 'text', values: keysOf(name) },
    ...ownerColumns(owner),
    ...(tenant ? [textColumn('tenant', tenants)] : []),
    textColumn('a', words),
    { name: 'n', type: 'integer', values: integers },
    ...(choices.chance(60) ? [textColumn('b', users)] : []),
    ...(choices.chance(40) ? [{ name: 'm', type: 'integer', values: integers } as const] : []),
    ...(choices.chance(35) ? [textColumn('u', ['x1', 'x2', 'x3', 'x4'])] : []),
    ...(link === undefined ? [] : [textColumn('link', keysOf(link))]),
    ...(once ? [textColumn('once', words)] : []),
    ...(hidFor === undefined ? [] : [textColumn('hid', words)]),
    ...(hasRevision ? [{ name: 'rev', type: 'integer', values: integers } as const] : []),
    ...(hasTimes ? [textColumn('made', times), textColumn('changed', times)] : []),
  ]
  const server: Record<string, ServerFill> = {
    ...(isKeyFilled ? { [key]: 'uuid' } : {}),
    ...(hasRevision ? { rev: 'revision' } : {}),
    ...(hasTimes ? { made: 'created', changed: 'changed' } : {}),
  }
  return { name, key, owner, tenant, grants, link, isGrants: false, columns, server, once, hidFor }
}

function ownerColumns(owner: Draft['owner']): Column[] {
  if (owner === 'shared') return []
  return owner === 'column' ? [textColumn('owner', users)] : [textColumn('parent', keysOf(owner.parent))]
}

function grantsDraft(choices: Choices, name: string, granting: Draft, hasTenants: boolean): Draft {
  const owner = granting.owner === 'shared' || choices.chance(20) ? 'column' : { parent: granting.name }
  const tenant = hasTenants && choices.chance(40)
  const columns: Column[] = [
    { name: 'id', type: 'text', values: keysOf(name) },
    ...ownerColumns(owner),
    ...(tenant ? [textColumn('tenant', tenants)] : []),
    // A grant that belongs to the granted row names it by the same column.
    ...(owner === 'column' ? [textColumn('parent', keysOf(granting.name))] : []),
    textColumn('user', users),
    textColumn('mode', modes),
    { name: 'n', type: 'integer', values: integers },
  ]
  const server: Record<string, ServerFill> = choices.chance(50) ? { id: 'uuid' } : {}
  return {
    name,
    key: 'id',
    owner,
    tenant,
    grants: undefined,
    link: undefined,
    isGrants: true,
    columns,
    server,
    once: false,
    hidFor: undefined,
  }
}

function textColumn(name: string, values: readonly string[]): Column {
  return { name, type: 'text', values }
}

function tableOfDraft(choices: Choices, draft: Draft, drafts: readonly Draft[]): Table {
  const { name, key, owner, columns, tenant } = draft
  const rules = (percent: number): RowRule[] => {
    const list: RowRule[] = []
    for (let left = percent; choices.chance(left); left -= 40) list.push(ruleOf(choices, draft, drafts, 2))
    return list
  }
  const cell = z.union([z.string(), z.number(), z.null()])
  const isOwned = owner !== 'shared'
  const canMove = owner === 'column' && choices.chance(35)
  const transfer = canMove ? (choices.chance(40) ? rules(80) : 'owner') : undefined
  return {
    name,
    key,
    columns,
    unique: columns.find((column) => column.name === 'u')?.name,
    resource: resource(name, name, {
      row: z.object(Object.fromEntries(columns.map((column) => [column.name, cell]))),
      key,
      owner:
        owner === 'shared'
          ? shared('generated')
          : owner === 'column'
            ? 'owner'
            : through(owner.parent, 'parent'),
      server: draft.server,
      ...(tenant ? { tenant: 'tenant' } : {}),
      // Whom a grant names may read it: a declaration without that does not boot.
      ...(isOwned
        ? {
            read: draft.isGrants ? [callerIs('user'), ...rules(40)] : rules(60),
            update: rules(45),
            delete: rules(30),
            insert: rules(25),
          }
        : {}),
      ...(transfer === undefined ? {} : { transfer }),
      ...(draft.once ? { writeOnce: ['once'] } : {}),
      ...(draft.hidFor === undefined ? {} : { readableBy: { hid: draft.hidFor } }),
    }),
  }
}

function ruleOf(choices: Choices, draft: Draft, drafts: readonly Draft[], depth: number): RowRule {
  const has = (column: string) => draft.columns.some(({ name }) => name === column)
  const kind = choices.weighted({
    granted: draft.grants === undefined ? 0 : 8,
    // The user of a grant may read the grant.
    person: has('b') || has('user') ? 4 : 0,
    roles: 2,
    linked: draft.link === undefined ? 0 : 4,
    all: depth > 0 ? 4 : 0,
    any: depth > 0 ? 1 : 0,
    column: 1,
    everyone: 1,
  })
  const part = () => ruleOf(choices, draft, drafts, depth - 1)
  switch (kind) {
    case 'granted':
      return granted(draft.grants ?? '', {
        row: 'parent',
        user: 'user',
        ...(choices.chance(50) ? { where: { mode: choices.pick(modes) } } : {}),
      })
    case 'person':
      return callerIs(has('user') ? 'user' : 'b')
    case 'roles':
      return choices.chance(30) ? callerHas('r1', 'r2') : callerHas(choices.pick(roles))
    case 'linked':
      return through(draft.link ?? '', 'link', choices.pick(['read', 'owner', 'update', 'delete']))
    case 'all':
      return choices.chance(30) ? allOf(part(), part(), part()) : allOf(part(), part())
    case 'any':
      return anyOf(part(), part())
    case 'column':
      return columnRule(choices, draft)
    case 'everyone':
      // Alone it would open the table to all; with a condition there is something to get wrong.
      return allOf(anyCaller('generated'), columnRule(choices, draft))
    default:
      return kind satisfies never
  }
}

function columnRule(choices: Choices, { isGrants }: Draft): RowRule {
  const [text, values] = isGrants ? ['mode', modes] : ['a', words]
  if (choices.chance(20)) return where(choices.pick([text, 'n']), choices.pick(['=', '<>']), null)
  const operator = choices.pick(['=', '<>', '<', '<=', '>', '>='])
  return choices.chance(50)
    ? where(text, operator, choices.any(values) ?? '')
    : where('n', operator, choices.pick(integers))
}
