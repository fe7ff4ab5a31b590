import { describe, expect, it } from 'vitest'
import {
  type CodeRule,
  noAny,
  noLeftovers,
  noOptionBags,
  noPlainError,
  noSilencing,
  noSkippedTests,
  unitsInNames,
} from './code-rules.ts'
import { findingText } from './finding.ts'
import { importDepth } from './imports.ts'
import { percentile, type Size, sizeFindings, sizeOfFile, sizesOfFunctions } from './sizes.ts'
import { isTest, parseSource, sourcesUnder } from './source.ts'

const sizes: CodeRule = (source) => sizeFindings([source])
const optional = (count: number): string =>
  Array.from({ length: count }, (_, index) => `readonly m${index}?: string`).join('\n')

const rules: readonly {
  rule: CodeRule
  holds: string
  wrong: Readonly<Record<string, string>>
  right: string
}[] = [
  {
    rule: noAny,
    holds: 'no any',
    wrong: { 'src/http/a.ts': '// a word: any\nexport function f(x: Record<string, any>) {}' },
    right: 'export const any = "any"',
  },
  {
    rule: noPlainError,
    holds: 'no plain Error outside src/base',
    wrong: { 'src/http/a.ts': 'export const a = 1\nthrow new Error("x")', 'src/b.ts': '\nthrow Error("x")' },
    right: 'class E extends Error {}\nthrow new Problem("NOT_FOUND", "x")',
  },
  {
    rule: noLeftovers,
    holds: 'nothing left to do in the code',
    wrong: { 'src/http/a.ts': `\n// ${'TO'}${'DO'}: later` },
    right: '// hackers and todos',
  },
  {
    rule: noSkippedTests,
    holds: 'no skipped test',
    wrong: {
      'src/a.test.ts': "\nit.skip('x', () => {})",
      'test/b.test.ts': "\ndescribe.only('x', () => {})",
      'test/c.test.ts': "\nit.each([1]).skip('x', () => {})",
    },
    right: "it('x', () => { list.skip(1) })",
  },
  {
    rule: noSilencing,
    holds: 'no silenced compiler',
    wrong: { 'src/http/a.ts': '\n  // @ts-ignore because' },
    right: 'const text = "// @ts-ignore"',
  },
  {
    rule: noOptionBags,
    holds: 'at most seven optional members',
    wrong: {
      'src/http/a.ts': `\nexport interface A {\n${optional(8)}\n}`,
      'src/b.ts': `\ntype B = {${optional(8)}}`,
    },
    right: `export interface A {\n${optional(7)}\nreadonly more: string }`,
  },
  {
    rule: unitsInNames,
    holds: 'a unit in the name of every number',
    wrong: {
      'src/http/a.ts': 'export interface A {\n  readonly timeout?: number\n}',
      'src/http/b.ts': 'export interface A {\n  readonly size: number | null\n}',
    },
    right:
      'export interface A { readonly timeoutMs: number; readonly status: number; readonly t: string | number }',
  },
  {
    rule: sizes,
    holds: 'files of at most 500 and functions of at most 70 lines',
    wrong: {
      'src/http/a.ts': `\nexport function f() {${'\n'.repeat(70)}}`,
      'src/http/b.ts': `\nconst f = () => {${'\n'.repeat(70)}}`,
    },
    right: `export function f() {${'\n'.repeat(69)}}\ndescribe('x', () => {${'\n'.repeat(90)}})${'\n'.repeat(300)}`,
  },
]

const sources = sourcesUnder('src', 'test', 'examples', 'bench')

describe('the code of this repository has', () => {
  for (const { rule, holds } of rules)
    it(holds, () => {
      expect(sources.flatMap(rule).map(findingText)).toEqual([])
    })

  it('files and functions short enough on the whole', () => {
    const ours = sources.filter(({ path }) => !isTest(path))
    const files = ours.map(sizeOfFile)
    const functions = ours.flatMap(sizesOfFunctions)
    const testLines = sum(sources.filter(({ path }) => path.endsWith('.test.ts')).map(sizeOfFile))
    console.info(
      [
        `files: ${files.length}, median ${percentile(files, 0.5)}, p95 ${percentile(files, 0.95)}, longest ${percentile(files, 1)} lines`,
        `functions: ${functions.length}, median ${percentile(functions, 0.5)}, p95 ${percentile(functions, 0.95)}, longest ${percentile(functions, 1)} lines`,
        `test lines to source lines: ${(testLines / sum(files)).toFixed(2)}`,
        `import depth: ${importDepth(ours)} files`,
      ].join('\n'),
    )
    expect(percentile(files, 0.5)).toBeLessThanOrEqual(130)
    expect(percentile(files, 0.95)).toBeLessThanOrEqual(400)
    expect(percentile(functions, 0.95)).toBeLessThanOrEqual(50)
  })
})

describe('the scanner for', () => {
  for (const { rule, holds, wrong, right } of rules) {
    for (const [path, text] of Object.entries(wrong))
      it(`${holds} finds a planted fault in ${path}`, () => {
        expect(rule(parseSource(path, text))).toEqual([expect.objectContaining({ path, line: 2 })])
      })
    it(`${holds} lets through what is right`, () => {
      expect(rule(parseSource('src/http/right.ts', right))).toEqual([])
    })
  }

  it('sizes finds a long file, and lets a table of data be', () => {
    const long = 'x()\n'.repeat(501)
    expect(sizes(parseSource('src/http/a.ts', long))).toHaveLength(1)
    expect(sizes(parseSource('src/http/a.ts', `// A table of every name there is.\n${long}`))).toEqual([])
  })

  it('percentiles takes the value at the share', () => {
    const lines = [1, 2, 3, 4, 5, 6, 7, 8, 9, 100].map(
      (lineCount): Size => ({ path: '', line: 1, name: '', lineCount }),
    )
    expect([percentile(lines, 0.5), percentile(lines, 0.9), percentile(lines, 1), percentile([], 1)]).toEqual(
      [5, 9, 100, 0],
    )
  })
})

function sum(sizes: readonly Size[]): number {
  return sizes.reduce((total, { lineCount }) => total + lineCount, 0)
}
