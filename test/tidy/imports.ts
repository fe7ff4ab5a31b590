import { posix } from 'node:path'
import ts from 'typescript-language-service'
import type { Finding } from './finding.ts'
import { apart, contracts, layers, reserved } from './layers.ts'
import { isTest, lineOf, nodesOf, type Source } from './source.ts'

/** One import, re-export or dynamic import. */
export interface Import {
  /** The file that imports. */
  readonly path: string
  readonly line: number
  /** What is asked for, as written; `null` for a dynamic import of something computed. */
  readonly specifier: string | null
  /** Erased before the program runs. */
  readonly typeOnly: boolean
}

/** Every import of a file, in order. */
export function importsOf(source: Source): readonly Import[] {
  const found: Import[] = []
  for (const node of nodesOf(source.tree)) {
    const named = importAt(node)
    if (named !== null) found.push({ path: source.path, line: lineOf(source, node), ...named })
  }
  return found
}

function importAt(node: ts.Node): Pick<Import, 'specifier' | 'typeOnly'> | null {
  if (ts.isImportDeclaration(node)) {
    const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
    return { specifier: literal(node.moduleSpecifier), typeOnly }
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined)
    return { specifier: literal(node.moduleSpecifier), typeOnly: node.isTypeOnly }
  if (ts.isImportTypeNode(node)) {
    const argument = ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined
    return { specifier: literal(argument), typeOnly: true }
  }
  if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference))
    return { specifier: literal(node.moduleReference.expression), typeOnly: node.isTypeOnly }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return { specifier: literal(node.arguments[0]), typeOnly: false }
  return null
}

function literal(node: ts.Node | undefined): string | null {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : null
}

/**
 * Everything wrong with the imports of these files.
 *
 * @param packages The runtime dependencies: nothing else may be imported by what ships.
 */
export function importFindings(
  sources: readonly Source[],
  packages: ReadonlySet<string>,
): readonly Finding[] {
  const shipped = sources.filter(({ path }) => !isTest(path))
  const found = shipped
    .flatMap((source) => importsOf(source))
    .flatMap((one) => {
      const message = refusalOf(one, packages)
      return message === null ? [] : [{ path: one.path, line: one.line, message }]
    })
  return [...found, ...cycleFindings(shipped)]
}

function refusalOf(one: Import, packages: ReadonlySet<string>): string | null {
  if (one.specifier === null)
    return one.path.startsWith('src/cli/')
      ? null
      : 'a computed import() hides what is imported; name the file'
  return one.specifier.startsWith('.')
    ? refusalOfRelative(one.path, one.specifier)
    : refusalOfPackage(one.path, one.specifier, packages)
}

function refusalOfPackage(path: string, specifier: string, packages: ReadonlySet<string>): string | null {
  const only = reserved.find(({ module }) => module.test(specifier))
  if (only !== undefined && !only.allowed(path)) return `"${specifier}" is imported only under ${only.where}`
  if (specifier.startsWith('node:')) return null
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  if (packages.has(name)) return null
  return `"${name}" is no runtime dependency (Node's own modules are imported with "node:")`
}

function refusalOfRelative(path: string, specifier: string): string | null {
  if (!/\.(ts|json)$/.test(specifier)) return `"${specifier}" must end in .ts`
  const target = targetOf(path, specifier)
  if (!target.startsWith('src/')) return `what ships cannot import "${target}"`
  const from = folderOf(path)
  const to = folderOf(target)
  if (from === to) return null
  const up = refusalOfDirection(from, to)
  if (up !== null) return up
  const inside = target.slice('src/'.length)
  if (to === 'index.ts' || inside === `${to}/index.ts` || contracts.has(inside)) return null
  return `import src/${to} through its index.ts, not through "${inside}"`
}

function refusalOfDirection(from: string, to: string): string | null {
  const above = apart[from]
  if (above !== undefined)
    return above.imports.includes(to) ? null : `src/${from} imports only ${above.imports.join(', ')}`
  const below = apart[to]
  if (below !== undefined)
    return below.importedBy.includes(from)
      ? null
      : `src/${to} is imported only by ${below.importedBy.join(', ')}`
  for (const folder of [from, to])
    if (!layers.includes(folder)) return `src/${folder} has no place in test/tidy/layers.ts; give it one`
  return layers.indexOf(to) < layers.indexOf(from)
    ? null
    : `src/${from} lies below src/${to} and cannot import it (the order is in test/tidy/layers.ts)`
}

function targetOf(path: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(path), specifier))
}

// `src/route/gate/examine.ts` belongs to `route`; a file right under src is its own folder.
function folderOf(path: string): string {
  return path.split('/')[1] ?? ''
}

/** What each file needs to run, types left out. `import { type A }` counts: the file is loaded all the same. */
function valueImports(sources: readonly Source[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    sources.map((source) => [
      source.path,
      importsOf(source).flatMap(({ path, specifier, typeOnly }) =>
        typeOnly || !specifier?.startsWith('.') ? [] : [targetOf(path, specifier)],
      ),
    ]),
  )
}

function cycleFindings(sources: readonly Source[]): readonly Finding[] {
  const graph = valueImports(sources)
  const done = new Set<string>()
  const found: Finding[] = []
  const visit = (path: string, above: readonly string[]): void => {
    const start = above.indexOf(path)
    if (start !== -1) {
      const circle = [...above.slice(start), path].join(' → ')
      found.push({ path, line: 1, message: `these files import each other: ${circle}` })
      return
    }
    if (done.has(path)) return
    for (const next of graph.get(path) ?? []) visit(next, [...above, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

/** The longest chain of files that import one another, counted in files; doors, which hold nothing, do not count. */
export function importDepth(sources: readonly Source[]): number {
  const graph = valueImports(sources.filter(({ path }) => !isTest(path)))
  const known = new Map<string, number>()
  const depth = (path: string): number => {
    const before = known.get(path)
    if (before !== undefined) return before
    // A cycle is reported elsewhere; here it must only not run for ever.
    known.set(path, 0)
    const deepest = (path.endsWith('/index.ts') ? 0 : 1) + Math.max(0, ...(graph.get(path) ?? []).map(depth))
    known.set(path, deepest)
    return deepest
  }
  return Math.max(0, ...[...graph.keys()].map(depth))
}
