import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where something was declared. */
export interface Place {
  /** Absolute path. */
  readonly file: string
  readonly line: number
}

const frame = /\(?((?:file:\/\/)?[^()\s]+):(\d+):\d+\)?$/

/**
 * The place in the application that called `callee`: the first stack frame above it.
 *
 * @param callee The function of ours that the application called.
 */
export function placeAbove(callee: (...args: never[]) => unknown): Place {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, callee)
  const found = frame.exec(holder.stack?.split('\n')[1]?.trim() ?? '')
  const file = found?.[1] ?? 'unknown'
  return { file: file.startsWith('file:') ? fileURLToPath(file) : file, line: Number(found?.[2] ?? 0) }
}

/** `examples/notes/notes.ts:41`, relative to the working folder. */
export function placeText(place: Place, workingDir: string = process.cwd()): string {
  return `${relative(workingDir, place.file).replaceAll('\\', '/')}:${place.line}`
}
