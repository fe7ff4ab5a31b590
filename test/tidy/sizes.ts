import ts from 'typescript-language-service'
import type { Finding } from './finding.ts'
import { lineOf, nodesOf, type Source } from './source.ts'

/** The most lines of a file, unless its first line says that it is a table of data. */
export const fileLines = 500

/** The most lines of one function. */
export const functionLines = 70

/** How long something is. */
export interface Size {
  readonly path: string
  readonly line: number
  readonly name: string
  readonly lineCount: number
}

/** The length of a file in lines. */
export function sizeOfFile(source: Source): Size {
  const lineCount = source.text.replace(/\n$/, '').split('\n').length
  return { path: source.path, line: 1, name: source.path, lineCount }
}

/**
 * The length of every function of a file.
 *
 * The callback of `describe` is a chapter of a test file, not a function somebody has to hold in mind.
 */
export function sizesOfFunctions(source: Source): readonly Size[] {
  return [...nodesOf(source.tree)].flatMap((node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined || isChapter(node)) return []
    const line = lineOf(source, node)
    const last = source.tree.getLineAndCharacterOfPosition(node.end).line + 1
    return [{ path: source.path, line, name: nameOf(node), lineCount: last - line + 1 }]
  })
}

function isChapter(node: ts.Node): boolean {
  if (!ts.isCallExpression(node.parent)) return false
  return /^describe\b/.test(node.parent.expression.getText())
}

function nameOf(node: ts.SignatureDeclaration): string {
  const named = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined)
  return named === undefined ? 'a function' : named.getText()
}

/** Files and functions that are too long. */
export function sizeFindings(sources: readonly Source[]): readonly Finding[] {
  return sources.flatMap((source) => {
    const file = sizeOfFile(source)
    const isTable = /^\/\/.*\btable\b/i.test(source.text)
    const long = sizesOfFunctions(source).filter(({ lineCount }) => lineCount > functionLines)
    return [
      ...(file.lineCount > fileLines && !isTable
        ? [
            {
              ...place(file),
              message: `${file.lineCount} lines; a file has at most ${fileLines}: split it by job`,
            },
          ]
        : []),
      ...long.map((size) => ({
        ...place(size),
        message: `${size.name} has ${size.lineCount} lines; a function has at most ${functionLines}: keep the ifs here and move the leaves out`,
      })),
    ]
  })
}

function place({ path, line }: Size): Pick<Finding, 'path' | 'line'> {
  return { path, line }
}

/** The value below which this share of the sizes lies. */
export function percentile(sizes: readonly Size[], share: number): number {
  const sorted = sizes.map(({ lineCount }) => lineCount).sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}
