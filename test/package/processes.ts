import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { delimiter, dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { assert } from '../../src/base/index.ts'

// The Node that runs the tests comes first, so that `npx` and `npm` run what they start on it too.
const searchPath = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter)

/** Runs a tool to its end and gives what it printed; rejects with all of it when the tool fails. */
export function runTool(file: string, args: readonly string[], workingDir: string): Promise<string> {
  const env = { ...process.env, PATH: searchPath, NODE_ENV: 'development', FORCE_COLOR: '0' }
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd: workingDir, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error([`${file} ${args.join(' ')} failed`, stdout, stderr].join('\n')))
    })
  })
}

/** A port of this machine that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert(typeof address === 'object' && address !== null, 'a listening server has an address')
  server.close()
  await once(server, 'close')
  return address.port
}

/**
 * Starts a server, waits until it listens on `PORT`, does something with it and stops it.
 *
 * @throws when it ends before it answers, or does not end with 0.
 */
export async function served(
  args: readonly string[],
  workingDir: string,
  environment: Readonly<Record<string, string>>,
  use: () => Promise<void>,
): Promise<void> {
  const child = spawn(process.execPath, args, {
    cwd: workingDir,
    env: { PATH: searchPath, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const heard: string[] = []
  child.stdout.on('data', (text: Buffer) => heard.push(String(text)))
  child.stderr.on('data', (text: Buffer) => heard.push(String(text)))
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve)
  })
  try {
    while (!(await answers(`http://127.0.0.1:${environment['PORT']}/health/live`))) {
      if (child.exitCode !== null)
        throw new Error(`the server ended with ${child.exitCode}:\n${heard.join('')}`)
      await pause(20)
    }
    await use()
  } finally {
    child.kill('SIGTERM')
  }
  const exitCode = await ended
  if (exitCode !== 0) throw new Error(`the server stopped with ${exitCode}:\n${heard.join('')}`)
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url)).arrayBuffer()
    return true
  } catch {
    return false
  }
}
