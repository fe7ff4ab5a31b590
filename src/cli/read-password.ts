import { UsageFault } from './fault.ts'
import type { Terminal } from './terminal.ts'

const maxBytes = 4_096

/**
 * Reads a password: typed twice, unseen, where somebody sits at the terminal; else the first line of standard input. It
 * is never an argument: those show in the list of processes and in the history of the shell.
 *
 * @throws UsageFault when there is none, or the two differ
 */
export async function readPassword(terminal: Terminal): Promise<string> {
  const { stdin } = process
  if (!stdin.isTTY) return firstLine(await piped(stdin))
  stdin.setRawMode(true)
  try {
    const first = await typed(terminal, 'Password: ')
    const second = await typed(terminal, 'The same again: ')
    if (first !== second) throw new UsageFault('The two passwords differ. Nothing was done.', 'users')
    return first
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
  }
}

async function piped(stdin: NodeJS.ReadStream): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk)
    chunks.push(bytes)
    size += bytes.length
    if (size > maxBytes) break
  }
  return Buffer.concat(chunks)
}

function firstLine(bytes: Buffer): string {
  const line = bytes.toString('utf8').split(/\r?\n/, 1)[0] ?? ''
  if (line === '' || bytes.length > maxBytes)
    throw new UsageFault(
      'The password is the first line of standard input, or is typed at a terminal.',
      'users',
    )
  return line
}

const enter = new Set(['\r', '\n'])
const backspace = new Set(['\b', '\u007f'])

async function typed(terminal: Terminal, prompt: string): Promise<string> {
  terminal.err(prompt)
  const characters: string[] = []
  for (;;) {
    const chunk = await new Promise<Buffer>((resolve) => process.stdin.once('data', resolve).resume())
    for (const character of chunk.toString('utf8')) {
      if (enter.has(character)) {
        terminal.err('\n')
        return characters.join('')
      }
      // Raw mode hands over Ctrl+C and Ctrl+D as characters.
      if (character === '\u0003' || character === '\u0004')
        throw new UsageFault('Stopped. Nothing was done.', 'users')
      if (backspace.has(character)) characters.pop()
      else if (characters.length < maxBytes) characters.push(character)
    }
  }
}
