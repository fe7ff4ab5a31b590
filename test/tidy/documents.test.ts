import { describe, expect, it } from 'vitest'
import { CATALOGUE } from '../../src/errors/index.ts'
import { withEnvironmentTable } from '../../src/settings/index.ts'
import { headingsOf, lockfileFindings, machineFindings, sectionFindings } from './documents.ts'
import { findingText } from './finding.ts'
import { memberOf, recordAt, runtimeDependencies } from './manifest.ts'
import { readJson, readText, repositoryFiles, rootDir } from './repository.ts'

describe('the documents of this repository', () => {
  it('have every problem code, and no other', () => {
    const path = 'docs/reference/problems.md'
    expect(sectionFindings(path, readText(path), Object.keys(CATALOGUE)).map(findingText)).toEqual([])
  })

  it('have the environment table as the settings make it', () => {
    const readme = readText('README.md')
    expect(readme).toBe(withEnvironmentTable(readme))
  })

  it('have a section for every runtime dependency, and no other', () => {
    const path = 'docs/dependencies.md'
    expect(sectionFindings(path, readText(path), runtimeDependencies()).map(findingText)).toEqual([])
  })

  it('have the version of the package in the changelog', () => {
    const headings = headingsOf(readText('CHANGELOG.md')).map(({ name }) => name)
    const version = String(memberOf(readJson('package.json'), 'version'))
    expect(headings.some((name) => name === version || name.startsWith(`${version} `))).toBe(true)
  })

  it('and all other files name no path of this machine', () => {
    const found = repositoryFiles().flatMap((path) => machineFindings(path, readText(path), rootDir))
    expect(found.map(findingText)).toEqual([])
  })
})

describe('the packages of this repository', () => {
  it('run no script at installation when they ship, and are tied to no registry', () => {
    expect(lockfileFindings(readJson('package-lock.json')).map(findingText)).toEqual([])
  })

  it('may run a script at installation only for the pinned Node', () => {
    expect(recordAt(readJson('package.json'), 'allowScripts')).toEqual({ node: true })
  })

  it('are at most twelve', () => {
    expect(runtimeDependencies().length).toBeLessThanOrEqual(12)
  })
})

describe('the scanner of documents', () => {
  it('finds a section that is missing, left over or twice', () => {
    const text = '# Title\n\n## A\n\n## `B`\n\n```md\n## C\n```\n\n### D\n\n## A\n\n## old\n'
    expect(sectionFindings('docs/x.md', text, ['A', 'B', 'C']).map(findingText)).toEqual([
      'docs/x.md:1: "## C" is missing',
      'docs/x.md:13: "## A" stands twice',
      'docs/x.md:15: "## old" does not exist (any more)',
    ])
  })

  it('finds a script, an address and a missing hash in a lockfile', () => {
    const integrity = 'sha512-x'
    const packages = {
      '': { name: 'holdfast', hasInstallScript: false },
      'node_modules/good': { integrity },
      'node_modules/tool': { integrity, dev: true, hasInstallScript: true },
      'node_modules/bad': { integrity, hasInstallScript: true },
      'node_modules/optional': { integrity, devOptional: true, hasInstallScript: true },
      'node_modules/tied': { integrity, dev: true, resolved: 'https://registry.example/tied.tgz' },
      'node_modules/loose': {},
    }
    expect(lockfileFindings({ packages }).map(({ message }) => message)).toEqual([
      'node_modules/bad ships and runs a script at installation',
      'node_modules/optional ships and runs a script at installation',
      'node_modules/tied names the address it came from; the integrity hash is what counts',
      'node_modules/loose has no integrity hash',
    ])
  })

  it('finds a path of the machine', () => {
    const text = 'fine\nsee /home/someone/holdfast/src/index.ts\n'
    expect(machineFindings('a.md', text, '/home/someone/holdfast')).toHaveLength(1)
    expect(machineFindings('a.md', text, '/home')).toEqual([])
  })
})
