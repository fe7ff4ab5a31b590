import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the checkout. */
export const rootDir: string = fileURLToPath(new URL('../../', import.meta.url)).replace(/[\\/]$/, '')

const notOurs = new Set(['.git', 'node_modules', 'dist', 'coverage', '.data'])

/** Every file that belongs to the repository, also one that is not committed yet; paths from the root. */
export function repositoryFiles(): readonly string[] {
  const listed = existsSync(join(rootDir, '.git')) ? filesByGit() : filesByFolder('')
  return listed.filter((path) => existsSync(join(rootDir, path))).sort()
}

function filesByGit(): readonly string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const out = execFileSync('git', args, { cwd: rootDir, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 })
  return [...new Set(out.split('\0').filter((path) => path !== ''))]
}

// A copy without git (an unpacked archive) has no list of what is ignored; these folders are never ours.
function filesByFolder(folder: string): readonly string[] {
  return readdirSync(join(rootDir, folder), { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name)) return []
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) return filesByFolder(path)
    return entry.isFile() ? [path] : []
  })
}

/** The text of a file of the repository. */
export function readText(path: string): string {
  return readFileSync(join(rootDir, path), 'utf8')
}

/** A JSON file of the repository; whoever reads a member of it says what it expects there. */
export function readJson(path: string): unknown {
  return JSON.parse(readText(path))
}
