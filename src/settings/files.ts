import { closeSync, openSync, readSync } from 'node:fs'

/** Longest file that is read for a setting, in bytes. */
export const settingFileMaxBytes = 65_536

/** Why there is no text. */
export interface Unread {
  /** As the end of a sentence that starts with the file. */
  readonly problem: string
  readonly isMissing: boolean
}

/**
 * The text of a small file, or why there is none. It reads no more than {@link settingFileMaxBytes}, so that a
 * wrong name (`/dev/zero`, a disk image) costs nothing.
 *
 * @param path Absolute.
 */
export function readSmallFile(path: string): { readonly text: string } | Unread {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    const bytes = Buffer.alloc(settingFileMaxBytes + 1)
    let length = 0
    for (;;) {
      const count = readSync(descriptor, bytes, length, bytes.length - length, null)
      length += count
      if (count === 0 || length === bytes.length) break
    }
    if (length > settingFileMaxBytes) {
      return { problem: `is longer than ${settingFileMaxBytes} bytes`, isMissing: false }
    }
    return { text: bytes.toString('utf8', 0, length) }
  } catch (error) {
    const code = errorCode(error)
    return { problem: `cannot be read (${code})`, isMissing: code === 'ENOENT' }
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** The system's code of an error, such as `ENOENT`; never its message, which holds the path. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
}
