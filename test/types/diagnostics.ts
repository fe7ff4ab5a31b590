/** One error of the compiler, or one that a fixture expects. */
export interface Diagnostic {
  /** The file, from the root of the repository. */
  readonly path: string
  /** The line, counted from 1. */
  readonly line: number
  /** The whole message, or the part of it that is expected. */
  readonly message: string
}

const marker = /^\s*\/\/ expect: (.+?)\s*$/

/** What a fixture expects: each `// expect:` speaks of the next line that is none. */
export function expectationsOf(path: string, text: string): readonly Diagnostic[] {
  const waiting: string[] = []
  return text.split('\n').flatMap((content, index) => {
    const expected = marker.exec(content)?.[1]
    if (expected === undefined)
      return waiting.splice(0).map((message): Diagnostic => ({ path, line: index + 1, message }))
    waiting.push(expected)
    return []
  })
}

const head = /^(.+?)\((\d+),\d+\): error (TS\d+: .*)$/
const bare = /^error (TS\d+: .*)$/

/** Reads what the compiler prints with `--pretty false`. The lines of a chain are indented under its first. */
export function parseDiagnostics(output: string): readonly Diagnostic[] {
  const found: Diagnostic[] = []
  for (const line of output.split('\n')) {
    const [, path, lineText, message] = head.exec(line) ?? [null, '', '0', bare.exec(line)?.[1]]
    const last = found.at(-1)
    if (message !== undefined && path !== undefined) found.push({ path, line: Number(lineText), message })
    else if (last !== undefined && line.startsWith(' '))
      found.splice(-1, 1, { ...last, message: `${last.message}\n${line}` })
  }
  return found
}

/** Where the compiler and the fixtures disagree, one sentence each; empty when every mistake is said as expected. */
export function differences(
  expected: readonly Diagnostic[],
  given: readonly Diagnostic[],
): readonly string[] {
  const left = [...given]
  const missing = expected.flatMap((one) => {
    const index = left.findIndex(
      ({ path, line, message }) => path === one.path && line === one.line && message.includes(one.message),
    )
    if (index === -1) return [`${one.path}:${one.line} should say: ${one.message}`]
    left.splice(index, 1)
    return []
  })
  return [...missing, ...left.map(({ path, line, message }) => `${path}:${line} says: ${message}`)]
}
