#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import type { Command } from './command.ts'
import { bans } from './commands/bans.ts'
import { dev } from './commands/dev.ts'
import { env } from './commands/env.ts'
import { events } from './commands/events.ts'
import { keys } from './commands/keys.ts'
import { migrate } from './commands/migrate.ts'
import { routes } from './commands/routes.ts'
import { start } from './commands/start.ts'
import { users } from './commands/users.ts'
import { exitCodes, UsageFault } from './fault.ts'
import { commandHelp, generalHelp } from './help.ts'
import { didYouMean, parseCall, quoted } from './parse-call.ts'
import { reportOf } from './report.ts'
import { processTerminal, type Terminal } from './terminal.ts'

const commands: readonly Command[] = [start, dev, routes, env, migrate, keys, users, bans, events]

async function main(words: readonly string[], terminal: Terminal): Promise<void> {
  const [first, ...rest] = words[0] === 'help' ? [words[1] ?? '--help', '--help'] : words
  const command = commands.find(({ name }) => name === first)
  const exitCode = await attempt(terminal, async () => {
    if (command !== undefined) return runCommand(command, rest, terminal)
    return answer(first, terminal)
  })
  process.exitCode = exitCode
  // A module of the application may hold a timer or a socket; a command that has answered does not wait for it.
  if (command?.staysUp !== true || exitCode !== exitCodes.fine) await leave(exitCode)
}

async function runCommand(command: Command, words: readonly string[], terminal: Terminal): Promise<number> {
  const beforeOperandsOnly = words.includes('--') ? words.slice(0, words.indexOf('--')) : words
  if (beforeOperandsOnly.some((word) => word === '--help' || word === '-h')) {
    terminal.out(commandHelp(command))
    return exitCodes.fine
  }
  return command.run(parseCall(command, words, terminal))
}

function answer(first: string | undefined, terminal: Terminal): number {
  if (first === '--help' || first === '-h') {
    terminal.out(generalHelp(commands))
    return exitCodes.fine
  }
  if (first === '--version' || first === '-v') {
    terminal.out(`${version()}\n`)
    return exitCodes.fine
  }
  if (first === undefined) throw new UsageFault('Which command?')
  const names = commands.map(({ name }) => name)
  const what = first.startsWith('-') ? 'option' : 'command'
  const known = what === 'option' ? ['--help', '--version'] : names
  throw new UsageFault(`There is no ${what} ${quoted(first)}.${didYouMean(first, known)}`)
}

async function attempt(terminal: Terminal, action: () => Promise<number>): Promise<number> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof UsageFault) {
      const command = commands.find(({ name }) => name === error.command)
      const usage = command === undefined ? generalHelp(commands) : commandHelp(command)
      terminal.err(`${error.message}\n\n${usage}`)
      return exitCodes.usage
    }
    const report = reportOf(error)
    terminal.err(report ?? `${inspect(error)}\n`)
    return report === undefined ? exitCodes.findings : exitCodes.configuration
  }
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null ? String(Reflect.get(manifest, 'version')) : ''
}

/** Exits once everything is written: to a pipe, writing is not always done at once. */
async function leave(exitCode: number): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((done) => {
      stream.write('', () => done())
    })
  }
  process.exit(exitCode)
}

// `holdfast routes | head` closes the pipe early; that is no failure of ours.
process.stdout.on('error', () => process.exit(exitCodes.fine))

await main(process.argv.slice(2), processTerminal)
