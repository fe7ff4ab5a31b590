import ts from 'typescript-language-service'
import type { Finding } from './finding.ts'
import { isTest, lineOf, nodesOf, type Source } from './source.ts'

/** One rule about source text: what it finds in a file. */
export type CodeRule = (source: Source) => readonly Finding[]

/** `any` switches the compiler off for everything it touches. */
export const noAny: CodeRule = (source) =>
  at(source, 'any switches the compiler off; use unknown and look, or say the type', (node) =>
    node.kind === ts.SyntaxKind.AnyKeyword ? [node] : [],
  )

/** A plain Error means a bug in Holdfast, and only `src/base` may say so. */
export const noPlainError: CodeRule = (source) =>
  isTest(source.path) || source.path.startsWith('src/base/')
    ? []
    : at(source, 'refuse with a Problem, state a belief with assert(), report settings as faults', (node) => {
        if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return []
        return ts.isIdentifier(node.expression) && node.expression.text === 'Error' ? [node] : []
      })

// Written so that the rule does not find itself.
const marker = /\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/g

/** What is left to do is an issue, where somebody finds it. */
export const noLeftovers: CodeRule = (source) =>
  source.text.split('\n').flatMap((line, index) =>
    [...line.matchAll(marker)].map(([word]) => ({
      path: source.path,
      line: index + 1,
      message: `${word}: do it, or file an issue and leave it out of the code`,
    })),
  )

/** A test that is skipped is a promise nobody keeps. */
export const noSkippedTests: CodeRule = (source) =>
  source.path.endsWith('.test.ts')
    ? at(source, 'a test runs, or does not exist', (node) => {
        if (!ts.isPropertyAccessExpression(node) || !/^(skip|only|todo|skipIf|runIf)$/.test(node.name.text))
          return []
        return /^(it|test|describe)\b/.test(node.expression.getText()) ? [node] : []
      })
    : []

/** The compiler is answered, not silenced. */
export const noSilencing: CodeRule = (source) =>
  source.text
    .split('\n')
    .flatMap((line, index) =>
      /^\s*(\/\/|\/\*)\s*@ts-(ignore|expect-error|nocheck)\b/.test(line)
        ? [{ path: source.path, line: index + 1, message: 'answer the compiler instead of silencing it' }]
        : [],
    )

const optionalCount = 7

/** An interface with more optional members is several things in one. */
export const noOptionBags: CodeRule = (source) =>
  [...nodesOf(source.tree)].flatMap((node) => {
    if (!ts.isInterfaceDeclaration(node) && !ts.isTypeLiteralNode(node)) return []
    const optional = node.members.filter((member) => member.questionToken !== undefined).length
    if (optional <= optionalCount) return []
    const message = `${optional} optional members, at most ${optionalCount}: group them by noun or make a union`
    return [{ path: source.path, line: lineOf(source, node), message }]
  })

const units = /(Ms|Kib|Seconds|Minutes|Hours|Days|Bytes|Bits|Chars|Count|Percent|PerSecond|PerMinute)$/

/** Numbers that are no quantity, or whose name already is the unit. Each with its reason. */
const withoutUnit: readonly { readonly name: RegExp; readonly because: string }[] = [
  { name: /^(status|statusCode|code|exitCode)$/, because: 'a code' },
  { name: /^(port|\w+Port)$/, because: 'a port number' },
  { name: /^family$/, because: '4 or 6, of an IP address' },
  { name: /^(line|column)$/, because: 'a place in a file' },
  { name: /^(revision|version|ver|generation)$/, because: 'the number of a version' },
  { name: /^(number|seat|holder|order)$/, because: 'an ordinal: which one it is' },
  { name: /^set$/, because: 'a place in memory, in cells' },
  { name: /^lastLevel$/, because: "the level of a line of the log, by pino's name" },
  { name: /^(iat|exp|auth_time)$/, because: 'a NumericDate of RFC 7519 §2, by the name of its claim' },
  { name: /(^s|S)eq$/, because: 'a place in a row of rows, counted from 1' },
  { name: /^count$/, because: 'the unit itself' },
  { name: /^(limit|remaining)$/, because: 'a count of requests or rows, by the name the protocol gives it' },
  { name: /^(cost|burst|per|after)$/, because: 'so many requests, in the terms that limiters have for them' },
  { name: /^(high|low)$/, because: 'the two words of a hash' },
  { name: /^(min|max|above|below|step)$/, because: 'a bound of a schema, in the unit of what it describes' },
]

/** A number in an exported interface ends in its unit: a limit of 10 is not the same in bytes and seconds. */
export const unitsInNames: CodeRule = (source) =>
  isTest(source.path)
    ? []
    : [...nodesOf(source.tree)].flatMap((node) => {
        if (!ts.isInterfaceDeclaration(node) || !isExported(node)) return []
        return node.members.filter(isUnitless).map((member) => {
          const name = member.name?.getText() ?? ''
          const message = `${node.name.text}.${name} is a number without a unit: end its name in Ms, Seconds, Bytes, Count …`
          return { path: source.path, line: lineOf(source, member), message }
        })
      })

function isExported(node: ts.InterfaceDeclaration): boolean {
  return node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false
}

function isUnitless(member: ts.TypeElement): boolean {
  if (!ts.isPropertySignature(member) || member.type === undefined) return false
  const name = member.name.getText()
  return isNumber(member.type) && !units.test(name) && !withoutUnit.some((known) => known.name.test(name))
}

function isNumber(type: ts.TypeNode): boolean {
  if (!ts.isUnionTypeNode(type)) return type.kind === ts.SyntaxKind.NumberKeyword
  return type.types.some(isNumber) && type.types.every((part) => isNumber(part) || isNothing(part))
}

function isNothing(type: ts.TypeNode): boolean {
  if (ts.isLiteralTypeNode(type)) return type.literal.kind === ts.SyntaxKind.NullKeyword
  return type.kind === ts.SyntaxKind.UndefinedKeyword
}

function at(
  source: Source,
  message: string,
  find: (node: ts.Node) => readonly ts.Node[],
): readonly Finding[] {
  return [...nodesOf(source.tree)].flatMap((node) =>
    find(node).map((found) => ({ path: source.path, line: lineOf(source, found), message })),
  )
}
