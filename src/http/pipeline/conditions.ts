import { Problem } from '../../errors/index.ts'

/** The strong entity tag of a row: its revision. */
export function entityTag(revision: number): string {
  return `"${revision}"`
}

/**
 * Holds `If-Match` against a row's revision.
 *
 * @param header The field as sent; `undefined` when absent.
 * @returns The revision that a change must still find, or `undefined` when the client named none.
 * @throws `PRECONDITION_FAILED` when no listed tag is the row's, and for weak tags, which never match here.
 * @see RFC 9110 §13.1.1
 */
export function requireMatch(header: string | undefined, revision: number | undefined): number | undefined {
  if (header === undefined) return undefined
  if (header.trim() === '*') return undefined
  if (revision === undefined || !tagsOf(header).includes(entityTag(revision))) {
    throw new Problem('PRECONDITION_FAILED', 'If-Match names another revision')
  }
  return revision
}

/** True when `If-None-Match` lists the row's tag, by weak comparison (RFC 9110 §13.1.2). */
export function isUnchanged(header: string | undefined, revision: number | undefined): boolean {
  if (header === undefined || revision === undefined) return false
  if (header.trim() === '*') return true
  return tagsOf(header).some((tag) => tag.replace(/^W\//, '') === entityTag(revision))
}

function tagsOf(header: string): string[] {
  return header.split(',').map((tag) => tag.trim())
}
