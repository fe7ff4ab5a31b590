import ts from 'typescript-language-service'
import { readText, repositoryFiles } from './repository.ts'

/** A parsed TypeScript file. */
export interface Source {
  /** The path from the root of the repository, with `/`. */
  readonly path: string
  readonly text: string
  readonly tree: ts.SourceFile
}

/** Parses one file. Scanners take this, so that their own tests can feed them text. */
export function parseSource(path: string, text: string): Source {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) }
}

/** Every TypeScript file of the repository under one of these folders. */
export function sourcesUnder(...folders: readonly string[]): readonly Source[] {
  return repositoryFiles()
    .filter((path) => path.endsWith('.ts') && folders.some((folder) => path.startsWith(`${folder}/`)))
    .map((path) => parseSource(path, readText(path)))
}

/** A file of tests, which does not ship. */
export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || !path.startsWith('src/')
}

/** The line of a node, counted from 1. */
export function lineOf(source: Source, node: ts.Node): number {
  return source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree)).line + 1
}

/** Every node of the file, parents first. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node
  const children: ts.Node[] = []
  node.forEachChild((child) => {
    children.push(child)
  })
  for (const child of children) yield* nodesOf(child)
}
