import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { writeWhole } from './whole-file.ts'

let folder: string
let path: string
let told: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-whole-'))
  path = join(folder, 'out')
  told = ''
})
afterEach(() => rmSync(folder, { recursive: true }))

const terminal = {
  err: (text: string): void => {
    told += text
  },
}

async function* lines(meanwhile: () => void = () => undefined): AsyncGenerator<string> {
  yield 'one'
  meanwhile()
  yield 'two'
}

it('V14.2.4 writes a file that its owner alone can read, and that appears when it is whole', async () => {
  let seen: readonly string[] = []
  const look = () => {
    seen = readdirSync(folder)
  }
  expect(await writeWhole(path, lines(look), terminal)).toBe(2)
  expect(seen).toEqual(['out.part'])
  expect(readdirSync(folder)).toEqual(['out'])
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

it('V5.3.2 takes the place of no other file, nor of one that comes meanwhile', async () => {
  writeFileSync(path, 'mine')
  expect(await writeWhole(path, lines(), terminal)).toBeNull()
  rmSync(path)
  expect(
    await writeWhole(
      path,
      lines(() => writeFileSync(path, 'mine')),
      terminal,
    ),
  ).toBeNull()
  expect(readFileSync(path, 'utf8')).toBe('mine')
  expect(readdirSync(folder)).toEqual(['out'])
  expect(told.trim().split('\n')).toHaveLength(2)
})

it('V5.3.2 follows no link that somebody has put there', async () => {
  const target = join(folder, 'target')
  writeFileSync(target, 'mine')
  symlinkSync(target, `${path}.part`)
  expect(await writeWhole(path, lines(), terminal)).toBeNull()
  symlinkSync(join(folder, 'nowhere'), path)
  expect(await writeWhole(path, lines(), terminal)).toBeNull()
  expect(readFileSync(target, 'utf8')).toBe('mine')
  expect(readdirSync(folder)).toEqual(['out', 'out.part', 'target'])
})

it('V16.5.2 leaves nothing behind when what is written fails', async () => {
  const failing = lines(() => {
    throw new TypeError('midway')
  })
  await expect(writeWhole(path, failing, terminal)).rejects.toThrow('midway')
  expect(readdirSync(folder)).toEqual([])
})
