import { spawn } from 'node:child_process'
import { SettingsFault } from '../../settings/index.ts'
import type { Command } from '../command.ts'
import { exitCodes } from '../fault.ts'

/** `holdfast dev`: serves the application and starts it again when a file of it changes. */
export const dev: Command = {
  name: 'dev',
  operands: '[FILE]',
  operandMaxCount: 1,
  summary: 'Serves the application and starts it again when its code changes.',
  details: `
For development only: it does not run with NODE_ENV=production.
`,
  options: {},
  staysUp: false,
  run: async ({ operands }) => {
    if (process.env['NODE_ENV'] === 'production') {
      const fix = 'use holdfast start, or unset NODE_ENV'
      throw new SettingsFault([
        { env: 'NODE_ENV', problem: 'is production, where code does not change', fix },
      ])
    }
    return watch(operands)
  },
}

// Node watches every module that was imported, and no more: no folder list to keep, no library to trust.
function watch(operands: readonly string[]): Promise<number> {
  const main = process.argv[1] ?? ''
  const words = [...process.execArgv, '--watch', '--watch-preserve-output', main, 'start', ...operands]
  const child = spawn(process.execPath, words, { stdio: 'inherit' })
  // At a terminal Ctrl+C reaches the child without us; passed on as well, it would count as the second signal.
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT')
  })
  process.on('SIGTERM', () => {
    child.kill('SIGTERM')
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) =>
      resolve(code ?? (signal === null ? exitCodes.findings : exitCodes.fine)),
    )
  })
}
