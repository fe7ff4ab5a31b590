import { assert } from '../../src/base/index.ts'
import { readJson } from './repository.ts'

/** The names of the packages that an installation of Holdfast brings along directly. */
export function runtimeDependencies(): readonly string[] {
  return Object.keys(recordAt(readJson('package.json'), 'dependencies'))
}

/** The names of the packages that what ships may import: its own, and those of the applications that it is made for. */
export function importablePackages(): ReadonlySet<string> {
  const peers = Object.keys(recordAt(readJson('package.json'), 'peerDependencies'))
  return new Set([...runtimeDependencies(), ...peers])
}

/** A member of a JSON value that must be an object; an absent one is empty. */
export function recordAt(value: unknown, member: string): Readonly<Record<string, unknown>> {
  const found = memberOf(value, member) ?? {}
  assert(isRecord(found), `"${member}" is an object`)
  return found
}

/** A member of a JSON value, if it has it. */
export function memberOf(value: unknown, member: string): unknown {
  return isRecord(value) && Object.hasOwn(value, member) ? value[member] : undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
