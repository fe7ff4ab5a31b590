import { nearest } from './nearest.ts'

/** A name in the environment that looks like one of ours but is none. */
export interface Misspelling {
  /** What is set. */
  readonly found: string
  /** What was probably meant; `undefined` for a name that only starts as ours do. */
  readonly meant: string | undefined
}

const ownPrefix = 'HOLDFAST_'
// A name is shown in the log, so it must be one that cannot forge a line there.
const plainName = /^\w{1,64}$/

/**
 * The names that are probably slips: of one letter, two in a long name, or of case; and whatever starts with
 * `HOLDFAST_` and is no setting. Warned about and not refused, because the environment belongs to others too.
 *
 * @param names Every name that is set.
 * @param known The variables there are.
 */
export function misspellings(names: readonly string[], known: readonly string[]): readonly Misspelling[] {
  const allowed = new Set(known.flatMap((name) => [name, `${name}_FILE`]))
  const found: Misspelling[] = []
  for (const name of new Set(names)) {
    if (allowed.has(name) || !plainName.test(name)) continue
    const meant = closest(name, known)
    if (meant !== undefined || name.startsWith(ownPrefix)) found.push({ found: name, meant })
  }
  return found.sort((a, b) => (a.found < b.found ? -1 : 1))
}

function closest(name: string, known: readonly string[]): string | undefined {
  const upper = name.toUpperCase()
  const suffix = upper.endsWith('_FILE') ? '_FILE' : ''
  const base = upper.slice(0, upper.length - suffix.length)
  const match = nearest(base, known, (candidate) => (candidate.length < 10 ? 1 : 2))
  return match === undefined ? undefined : `${match}${suffix}`
}
