/** One fault that a scanner found, with the place and what to do about it. */
export interface Finding {
  /** The file, from the root of the repository. */
  readonly path: string
  /** The line, counted from 1. */
  readonly line: number
  /** What is wrong and what to write instead. */
  readonly message: string
}

/** The finding as an editor or a terminal can follow it. */
export function findingText(finding: Finding): string {
  return `${finding.path}:${finding.line}: ${finding.message}`
}
