import { spawn } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { unguessableBytes } from '../crypto/index.ts'
import { developmentSecret } from './development-secret.ts'
import { isDevelopmentSecret } from './root-secret.ts'

const strong = `${unguessableBytes(32).toString('base64')}\n`

function folder(): string {
  return join(mkdtempSync(join(tmpdir(), 'holdfast-secret-')), 'a', 'data')
}

function folderWith(text: string, mode = 0o600): string {
  const dir = folder()
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'secret'), text)
  chmodSync(join(dir, 'secret'), mode)
  return dir
}

function problemIn(dir: string): string {
  const parsed = developmentSecret(dir)
  return parsed.ok ? 'accepted' : `${parsed.problem}; ${parsed.fix}`
}

describe('the secret of a development machine', () => {
  it('V13.3.2 is made on the first start, for its owner only, and stays the same', () => {
    const dir = folder()
    const first = developmentSecret(dir)
    const second = developmentSecret(dir)
    expect(first.ok && second.ok && first.value.reveal().equals(second.value.reveal())).toBe(true)
    expect(first.ok && isDevelopmentSecret(first.value.reveal())).toBe(true)
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    expect(statSync(join(dir, 'secret')).mode & 0o777).toBe(0o600)
    expect(readdirSync(dir)).toEqual(['secret'])
  })

  it('V13.3.2 is refused from a file that others may read or write', () => {
    for (const mode of [0o640, 0o604, 0o620, 0o644, 0o601]) {
      expect(problemIn(folderWith(strong, mode))).toContain('chmod 600')
    }
    expect(problemIn(folderWith(strong, 0o400))).toBe('accepted')
  })

  it('is refused from a file that was written in part, or by somebody else', () => {
    for (const text of [
      '',
      strong.slice(0, 20),
      `${strong}${strong}`,
      'x'.repeat(100_000),
      '\0'.repeat(44),
    ]) {
      expect(problemIn(folderWith(text))).toContain('no whole secret; remove secret')
    }
  })

  it('V13.3.2 is refused from behind a link, and from what is no file', () => {
    const target = join(folderWith(strong), 'secret')
    const linked = folder()
    mkdirSync(linked, { recursive: true })
    symlinkSync(target, join(linked, 'secret'))
    expect(problemIn(linked)).toContain('in a link')
    const nested = folder()
    mkdirSync(join(nested, 'secret'), { recursive: true })
    expect(problemIn(nested)).toContain('not kept in a regular file')
  })

  it('says that the folder cannot be made, without naming it', () => {
    const dir = join(folderWith(strong), 'secret', 'below-a-file')
    expect(problemIn(dir)).toMatch(/^cannot be kept in the data folder \((ENOTDIR|EEXIST)\)/)
  })

  it('V13.3.1 is one and the same for processes that start at once', async () => {
    for (let round = 0; round < 3; round++) {
      const dir = folder()
      const found = await Promise.all(Array.from({ length: 5 }, () => startProcess(dir)))
      const kept = readFileSync(join(dir, 'secret'), 'utf8').trim()
      expect(found).toEqual(found.map(() => kept))
      expect(readdirSync(dir)).toEqual(['secret'])
    }
  })
})

/** Another process that wants the secret; answers what it got. */
function startProcess(dir: string): Promise<string> {
  const module = fileURLToPath(new URL('development-secret.ts', import.meta.url))
  const program = `
    const { developmentSecret } = await import(${JSON.stringify(module)})
    const parsed = developmentSecret(${JSON.stringify(dir)})
    process.stdout.write(parsed.ok ? parsed.value.reveal().toString('base64') : parsed.problem)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return new Promise((answer) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    child.on('close', () => answer(text))
  })
}
