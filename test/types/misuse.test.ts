import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type Diagnostic, differences, expectationsOf, parseDiagnostics } from './diagnostics.ts'

const rootDir = fileURLToPath(new URL('../../', import.meta.url))
const folder = 'test/types/misuse'

// The older compiler stands for the editors of users. It reads our sources here, where theirs reads our declarations, so
// only what it says about the fixtures counts.
const compilers = [
  { name: 'TypeScript 7', script: 'node_modules/typescript/lib/tsc.js', counts: () => true },
  {
    name: 'TypeScript 5.9',
    script: 'node_modules/typescript-language-service/lib/tsc.js',
    counts: ({ path }: Diagnostic) => path.startsWith(folder),
  },
]

describe('a mistake in a declaration does not compile, and the message says what is wrong:', () => {
  const expected = readdirSync(`${rootDir}${folder}`).flatMap((name) =>
    expectationsOf(`${folder}/${name}`, readFileSync(`${rootDir}${folder}/${name}`, 'utf8')),
  )

  it('there are at least sixteen of them', () => {
    expect(expected.length).toBeGreaterThanOrEqual(16)
  })

  for (const { name, script, counts } of compilers)
    it(`${name} finds each of them and nothing else`, () => {
      const args = [script, '-p', 'test/types/tsconfig.json', '--pretty', 'false']
      const { stdout } = spawnSync(process.execPath, args, { cwd: rootDir, encoding: 'utf8' })
      expect(differences(expected, parseDiagnostics(stdout).filter(counts))).toEqual([])
    }, 60_000)
})

describe('the reader of diagnostics', () => {
  const text = [
    'const right = 1',
    '// expect: is not assignable',
    "const wrong: number = 'a'",
    'f(',
    '  // expect: first',
    '  // expect: second',
    '  x,',
    ')',
  ].join('\n')
  const expected = [
    { path: 'a.ts', line: 3, message: 'is not assignable' },
    { path: 'a.ts', line: 7, message: 'first' },
    { path: 'a.ts', line: 7, message: 'second' },
  ]

  it('reads what a fixture expects', () => {
    expect(expectationsOf('a.ts', text)).toEqual(expected)
  })

  it('reads what the compiler prints, chains and all', () => {
    const output =
      "a.ts(3,7): error TS2322: Type 'string' is not it.\n  Because it\n    is not.\nerror TS6053: No file.\n"
    expect(parseDiagnostics(output)).toEqual([
      { path: 'a.ts', line: 3, message: "TS2322: Type 'string' is not it.\n  Because it\n    is not." },
      { path: '', line: 0, message: 'TS6053: No file.' },
    ])
  })

  const given = [
    { path: 'a.ts', line: 3, message: 'TS1: it is not assignable' },
    { path: 'a.ts', line: 7, message: 'TS2: first\n  because' },
    { path: 'a.ts', line: 7, message: 'TS3: second' },
  ]

  it('is content when each mistake is said', () => {
    expect(differences(expected, given)).toEqual([])
  })

  it('finds a mistake that compiles, one on another line, other words and one too many', () => {
    expect(differences(expected, given.slice(1))).toEqual(['a.ts:3 should say: is not assignable'])
    const elsewhere = given.map((one) => ({ ...one, line: one.line === 3 ? 4 : one.line }))
    expect(differences(expected, elsewhere)).toHaveLength(2)
    const otherwise = given.map((one) => ({ ...one, message: one.message.replace('second', 'third') }))
    expect(differences(expected, otherwise)).toHaveLength(2)
    const more = [...given, { path: 'b.ts', line: 1, message: 'TS4: more' }]
    expect(differences(expected, more)).toEqual(['b.ts:1 says: TS4: more'])
  })
})
