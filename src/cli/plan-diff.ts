import type { Terminal } from './terminal.ts'

/**
 * How two plans differ, as lines for a reader: what came, what went, what changed and where.
 *
 * @param before The committed plan, straight from its file.
 * @param after The plan of the application.
 */
export function planDifferences(before: unknown, after: unknown, terminal: Terminal): readonly string[] {
  const old = entriesOf(before)
  const now = entriesOf(after)
  const lines: string[] = []
  for (const label of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const was = old.get(label)
    const is = now.get(label)
    if (was === undefined) lines.push(terminal.emphasise('green', `+ ${label}`), ...gist(is))
    else if (is === undefined) lines.push(terminal.emphasise('red', `- ${label}`), ...gist(was))
    else {
      const changes = changesBetween(was, is)
      if (changes.length > 0) lines.push(terminal.emphasise('yellow', `~ ${label}`), ...changes)
    }
  }
  return lines
}

/** The parts of a plan that come and go, each by a name of its own. */
function entriesOf(plan: unknown): ReadonlyMap<string, unknown> {
  const entries = new Map<string, unknown>()
  for (const [key, value] of membersOf(plan)) {
    if (key === 'limits') for (const [name, limit] of membersOf(value)) entries.set(`limit ${name}`, limit)
    else if (!Array.isArray(value) || key === 'roles') entries.set(key, value)
    else for (const [index, part] of value.entries()) entries.set(labelOf(key, part, index), part)
  }
  return entries
}

function labelOf(key: string, part: unknown, index: number): string {
  const members = new Map(membersOf(part))
  switch (key) {
    case 'routes':
      return `${members.get('method')} ${members.get('path')}`
    case 'resources':
      return `resource ${members.get('name')}`
    case 'settings':
      return `setting ${members.get('env')}`
    default:
      return `${key} ${index}`
  }
}

/** Of a route that came or went: who may call it and how often. */
function gist(value: unknown): string[] {
  return membersOf(value)
    .filter(([key]) => key === 'access' || key === 'limit')
    .map(([key, member]) => `    ${key}: ${written(member)}`)
}

function changesBetween(before: unknown, after: unknown): string[] {
  const old = leavesOf(before)
  const now = leavesOf(after)
  const lines: string[] = []
  for (const path of new Set([...old.keys(), ...now.keys()])) {
    const was = old.get(path) ?? 'absent'
    const is = now.get(path) ?? 'absent'
    if (was !== is) lines.push(`    ${path === '' ? '' : `${path}: `}${was} → ${is}`)
  }
  return lines
}

/** Every value of a tree by its path: `schemas.body.properties.title.maxLength`. */
function leavesOf(value: unknown): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>()
  const visit = (node: unknown, path: string): void => {
    const members = membersOf(node)
    if (members.length === 0) leaves.set(path, written(node))
    for (const [key, member] of members) visit(member, path === '' ? key : `${path}.${key}`)
  }
  visit(value, '')
  return leaves
}

function membersOf(value: unknown): readonly [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

function written(value: unknown): string {
  return JSON.stringify(value) ?? 'absent'
}
