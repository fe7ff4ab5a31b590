import { describe, expect, it } from 'vitest'
import { findingText } from './finding.ts'
import { importDepth, importFindings, importsOf } from './imports.ts'
import { importablePackages } from './manifest.ts'
import { parseSource, sourcesUnder } from './source.ts'

const packages = new Set(['zod', 'fastify'])

describe('the imports of this repository', () => {
  const sources = sourcesUnder('src')

  it('point down, pass the doors and make no circle', () => {
    expect(importFindings(sources, importablePackages()).map(findingText)).toEqual([])
  })
})

describe('the scanner of imports', () => {
  const cases = [
    {
      name: 'a lower folder importing a higher one',
      files: { 'src/errors/a.ts': `import { b } from '../route/index.ts'` },
      says: 'src/errors lies below src/route',
    },
    {
      name: 'the same for types only',
      files: { 'src/errors/a.ts': `import type { B } from '../route/index.ts'` },
      says: 'src/errors lies below src/route',
    },
    {
      name: 'a type named in place',
      files: { 'src/errors/a.ts': `export const a: import('../route/index.ts').B = 1` },
      says: 'src/errors lies below src/route',
    },
    {
      name: 'a re-export over many lines',
      files: { 'src/errors/a.ts': `export {\n  b,\n} from\n  '../route/index.ts'` },
      says: 'src/errors lies below src/route',
    },
    {
      name: 'a dynamic import',
      files: { 'src/errors/a.ts': `await import('../route/index.ts')` },
      says: 'src/errors lies below src/route',
    },
    {
      name: 'a way round the door',
      files: { 'src/http/a.ts': `import { b } from '../errors/problem.ts'` },
      says: 'import src/errors through its index.ts',
    },
    {
      name: 'a folder without a place',
      files: { 'src/misc/a.ts': `import { b } from '../base/index.ts'` },
      says: 'src/misc has no place',
    },
    {
      name: 'cryptography elsewhere',
      files: { 'src/http/a.ts': `import { randomBytes } from 'node:crypto'` },
      says: '"node:crypto" is imported only under src/crypto',
    },
    {
      name: 'Fastify elsewhere',
      files: { 'src/route/a.ts': `import type { FastifyInstance } from 'fastify'` },
      says: '"fastify" is imported only under src/http',
    },
    {
      name: 'a package that is not shipped along',
      files: { 'src/base/a.ts': `import { it } from 'vitest/x'` },
      says: '"vitest" is no runtime dependency',
    },
    {
      name: 'the suite',
      files: { 'src/base/a.ts': `import { k } from '../../test/kit/k.ts'` },
      says: 'what ships cannot import "test/kit/k.ts"',
    },
    {
      name: 'a file without its ending',
      files: { 'src/base/a.ts': `import { k } from './k'` },
      says: '"./k" must end in .ts',
    },
    {
      name: 'the server inside attack',
      files: { 'src/attack/a.ts': `import { k } from '../route/index.ts'` },
      says: 'src/attack imports only base',
    },
    {
      name: 'attack inside the server',
      files: { 'src/app/a.ts': `import { k } from '../attack/index.ts'` },
      says: 'src/attack is imported only by cli',
    },
    {
      name: 'the command line inside the library',
      files: { 'src/index.ts': `export { k } from './cli/main.ts'` },
      says: 'src/index.ts lies below src/cli',
    },
    {
      name: 'a computed import',
      files: { 'src/app/a.ts': `await import(name)` },
      says: 'a computed import() hides',
    },
    {
      name: 'a circle',
      files: {
        'src/base/a.ts': `import { b } from './b.ts'`,
        'src/base/b.ts': `export * from './c.ts'`,
        'src/base/c.ts': `import { type A, a } from './a.ts'`,
      },
      says: 'src/base/a.ts → src/base/b.ts → src/base/c.ts → src/base/a.ts',
    },
  ]
  for (const { name, files, says } of cases)
    it(`finds ${name}`, () => {
      const found = importFindings(sourcesOf(files), packages)
      expect(found.map(({ message }) => message)).toEqual([expect.stringContaining(says)])
    })

  it('lets through what is right', () => {
    const files = {
      'src/base/a.ts': `import type { B } from './b.ts'\nimport { readFileSync } from 'node:fs'`,
      'src/base/b.ts': `import { a } from './a.ts'`,
      'src/crypto/a.ts': `import { randomBytes } from 'node:crypto'`,
      'src/http/a.ts': `import Fastify from 'fastify'\nimport type { R } from '../data/resource.ts'`,
      'src/users/routes.ts': `import type { FastifyInstance } from 'fastify'`,
      'src/cli/a.ts': `await import(name)\nimport { createApp } from '../index.ts'`,
      'src/index.ts': `export { createApp } from './app/index.ts'\n// import { x } from './cli/main.ts'`,
      'src/base/a.test.ts': `import { it } from 'vitest'\nimport { route } from '../route/index.ts'`,
    }
    expect(importFindings(sourcesOf(files), packages)).toEqual([])
  })

  it('tells the line, and a type from a value', () => {
    const text = `import type { A } from './a.ts'\nimport { type B } from './b.ts'\n\nexport type { C } from './c.ts'`
    expect(importsOf(parseSource('src/base/x.ts', text))).toEqual([
      { path: 'src/base/x.ts', line: 1, specifier: './a.ts', typeOnly: true },
      { path: 'src/base/x.ts', line: 2, specifier: './b.ts', typeOnly: false },
      { path: 'src/base/x.ts', line: 4, specifier: './c.ts', typeOnly: true },
    ])
  })

  it('counts the longest chain', () => {
    const files = {
      'src/base/a.ts': `import { b } from './b.ts'\nimport { c } from './c.ts'`,
      'src/base/b.ts': `import { c } from './index.ts'`,
      'src/base/index.ts': `export { c } from './c.ts'`,
      'src/base/c.ts': '',
    }
    expect(importDepth(sourcesOf(files))).toBe(3)
  })
})

function sourcesOf(files: Readonly<Record<string, string>>) {
  return Object.entries(files).map(([path, text]) => parseSource(path, text))
}
