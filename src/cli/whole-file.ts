import { link, lstat, open, rename, rm } from 'node:fs/promises'
import type { Terminal } from './terminal.ts'

/**
 * Writes a file that its owner alone can read, and that appears when it is whole: half of one would be taken for all of
 * it. It takes the place of no other.
 *
 * @returns how many lines were written; `null` when there is a file already, which has been told
 */
export async function writeWhole(
  path: string,
  lines: AsyncIterable<string>,
  terminal: Pick<Terminal, 'err'>,
): Promise<number | null> {
  const isThere = (what: string): null => {
    terminal.err(`There is a file ${JSON.stringify(what)} already; it is left as it is.\n`)
    return null
  }
  const there = await lstat(path).catch(() => null)
  if (there !== null) return isThere(path)
  const part = `${path}.part`
  // Never through a link that somebody has put there.
  const file = await open(part, 'wx', 0o600).catch((error: unknown) => {
    if (codeOf(error) === 'EEXIST') return null
    throw error
  })
  if (file === null) return isThere(part)
  try {
    let count = 0
    for await (const line of lines) {
      await file.write(`${line}\n`)
      count += 1
    }
    await file.close()
    return (await appear(part, path)) ? count : isThere(path)
  } finally {
    await file.close().catch(() => undefined)
    await rm(part, { force: true })
  }
}

/** Gives a whole file its name. @returns whether nobody else has taken it meanwhile */
async function appear(part: string, path: string): Promise<boolean> {
  try {
    // Unlike a renaming, it replaces nothing.
    await link(part, path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    // Not every file system has links.
    await rename(part, path)
  }
  return true
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined
}
