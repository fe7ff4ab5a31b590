import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type LimitStore, memoryStore, per, policyOf, sharedStore } from '../src/limits/index.ts'

// What more workers bring: requests per second by the clock, and the time of the processor that one request takes, which
// must not grow. And what a decision about a limit costs in shared memory. The client shares the processors with the
// server, so that only the second figure is good on a machine with as many processors as workers.
//
//   npm run bench:workers [-- WORKERS…]

const roundMs = 3_000
const roundCount = 3
const connectionCountEach = 32
const pipelinedCount = 4
const ticksPerSecond = 100
const statusLine = 'HTTP/1.1 '
const fine = `${statusLine}200`

const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))
const app = fileURLToPath(new URL('./workers-app.ts', import.meta.url))

interface Figures {
  readonly perSecond: number
  readonly microsecondsEach: number
  /** Processors that the server kept busy. */
  readonly busyCount: number
}

interface Node {
  readonly workerCount: number
  readonly port: number
  readonly pid: number
  readonly memoryBytes: () => number
  readonly stop: () => Promise<void>
}

async function start(workerCount: number): Promise<Node> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
  const child = spawn(
    process.execPath,
    ['--conditions=holdfast-source', main, 'start', '--workers', String(workerCount), app],
    {
      env: { PATH: process.env['PATH'], HOLDFAST_DATA_DIR: folder, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const port = await new Promise<number>((resolve, reject) => {
    let said = ''
    const listen = (part: Buffer): void => {
      said += String(part)
      if (said.split('ready\n').length - 1 < workerCount) return
      // The log is read to the end, or the server would wait for us, but no longer looked at.
      child.stdout.on('data', () => undefined).off('data', listen)
      resolve(Number(/"address":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(said)?.[1]))
    }
    child.stdout.on('data', listen)
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
  return {
    workerCount,
    port,
    pid: child.pid ?? 0,
    memoryBytes: () =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function tokenOf({ port }: Node): Promise<string> {
  const reply = await fetch(`http://127.0.0.1:${port}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ann@example.com', password: 'correct horse staple' }),
  })
  const said: unknown = await reply.json()
  return String(typeof said === 'object' && said !== null ? Reflect.get(said, 'accessToken') : '')
}

/** Processor time of a process, user and system, in seconds. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

async function load({ port, pid, workerCount }: Node, token: string): Promise<Figures> {
  const one = `GET /thing/3b241101-e2bb-4255-8caf-4136c566a962 HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${token}\r\n\r\n`
  const batch = one.repeat(pipelinedCount)
  let answerCount = 0
  let refusedCount = 0
  let isOver = false
  const sockets = new Set<Socket>()
  const open = (): void => {
    const socket = connect({ port, host: '127.0.0.1' })
    let openCount = pipelinedCount
    // The end of what has come, in case that the next part goes on in the middle of a status line.
    let rest = ''
    socket.on('data', (part) => {
      const text = rest + part.toString('latin1')
      rest = text.slice(1 - fine.length)
      for (let at = text.indexOf(statusLine); at >= 0; at = text.indexOf(statusLine, at + 1)) {
        if (at + fine.length > text.length) break
        // A server that turns requests away would look fast.
        if (text.startsWith(fine, at)) answerCount++
        else refusedCount++
        openCount--
      }
      if (openCount > 0 || isOver) return
      openCount = pipelinedCount
      socket.write(batch, 'latin1')
    })
    socket.on('error', () => undefined)
    // The server ends a connection after so many requests.
    socket.on('close', () => {
      sockets.delete(socket)
      if (!isOver) open()
    })
    sockets.add(socket)
    socket.write(batch, 'latin1')
  }
  for (let count = 0; count < connectionCountEach * workerCount; count++) open()
  await delay(roundMs / 4)
  const [countBefore, secondsBefore, startMs] = [answerCount, processorSeconds(pid), performance.now()]
  await delay(roundMs)
  const count = answerCount - countBefore
  const seconds = processorSeconds(pid) - secondsBefore
  const tookSeconds = (performance.now() - startMs) / 1_000
  isOver = true
  for (const socket of sockets) socket.destroy()
  if (refusedCount > 0) throw new Error(`${refusedCount} requests were turned away`)
  return {
    perSecond: count / tookSeconds,
    microsecondsEach: (seconds * 1e6) / count,
    busyCount: seconds / tookSeconds,
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
}

/** Nanoseconds for one decision, the middle of several rounds. */
function decisionNs(store: LimitStore, keyCount: number, ruleCount: number): number {
  const policies = Array.from({ length: ruleCount }, (_, index) =>
    policyOf(per('minute', 1_000_000), { name: `rule ${index}`, group: 'bench' }),
  )
  const all = Array.from({ length: keyCount }, (_, index) =>
    policies.map((policy) => ({ policy, key: `account:${index}` })),
  )
  const rounds: number[] = []
  for (let round = 0; round < 5; round++) {
    const startMs = performance.now()
    for (let index = 0; index < 200_000; index++) store.consume(all[index % keyCount] ?? [], 1e12 + index)
    rounds.push(((performance.now() - startMs) * 1e6) / 200_000)
  }
  return median(rounds)
}

function decisions(): void {
  for (const ruleCount of [1, 2]) {
    const regions = new Map<string, SharedArrayBuffer>()
    const shared = sharedStore({
      memory: {
        ...{ holder: 1, seat: 0, seatCount: 2, hashSecret: Buffer.alloc(16, 1), isGone: () => false },
        region: (name, byteCount) => {
          const buffer = regions.get(name) ?? new SharedArrayBuffer(byteCount)
          regions.set(name, buffer)
          return { buffer, order: [...regions.keys()].indexOf(name) }
        },
      },
    })
    for (const keyCount of [100, 100_000]) {
      const [alone, together] = [memoryStore(), shared].map((store) => decisionNs(store, keyCount, ruleCount))
      process.stdout.write(
        `  ${ruleCount} bucket${ruleCount === 1 ? ' ' : 's'}, ${keyCount} keys: ${alone?.toFixed(0)} ns in memory of one process, ${together?.toFixed(0)} ns in shared memory\n`,
      )
    }
  }
}

const counts = process.argv.slice(2).map(Number)
const nodes: Node[] = []
for (const count of counts.length > 0 ? counts : [1, 2]) nodes.push(await start(count))
const found = new Map<number, Figures[]>()
for (const node of nodes) await load(node, await tokenOf(node))
for (let round = 0; round < roundCount; round++)
  for (const node of nodes)
    found.set(node.workerCount, [
      ...(found.get(node.workerCount) ?? []),
      await load(node, await tokenOf(node)),
    ])
process.stdout.write('decisions\n')
decisions()
process.stdout.write(`requests, the middle of ${roundCount} rounds\n`)
for (const node of nodes) {
  const rounds = found.get(node.workerCount) ?? []
  const middle = (of: (figures: Figures) => number): number => median(rounds.map(of))
  process.stdout.write(
    `  ${node.workerCount} worker${node.workerCount === 1 ? ' ' : 's'}: ${middle(({ perSecond }) => perSecond).toFixed(0)} a second, ` +
      `${middle(({ microsecondsEach }) => microsecondsEach).toFixed(1)} µs of processor each, ` +
      `${middle(({ busyCount }) => busyCount).toFixed(2)} processors busy, ${(node.memoryBytes() / 2 ** 20).toFixed(0)} MiB\n`,
  )
  await node.stop()
}
