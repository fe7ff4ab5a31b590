import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { assert } from '../src/base/index.ts'
import { median, percentile, tableText } from './figures.ts'
import { rootDir, startServer } from './server-process.ts'

// How long the example takes from the start of its process to its first answer as ready, on an empty data folder (so
// with a new secret and all migrations), and how much memory it holds then. What it holds after some work is told too; no
// target, because that depends on when the garbage was last collected.

const startCount = 10
const requestCount = 1_000
const targetReadyMs = 400
const targetMemoryBytes = 110 * 1024 * 1024

// Just as `npm start` runs it, and the same with the built package instead of its sources.
const sourceCondition = '--conditions=holdfast-source'
const npmStart = startArguments()
const ways: readonly { readonly name: string; readonly args: readonly string[] }[] = [
  { name: 'from source', args: npmStart },
  { name: 'from dist', args: npmStart.filter((arg) => arg !== sourceCondition) },
]

function startArguments(): readonly string[] {
  const manifest: { scripts: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(rootDir, 'package.json'), 'utf8'),
  )
  const [command, ...args] = (manifest.scripts['start'] ?? '').split(' ')
  assert(
    command === 'node' && args.includes(sourceCondition),
    '`npm start` runs the example from source on Node',
  )
  return args.map((arg) => (/\.[jt]s$/.test(arg) ? join(rootDir, arg) : arg))
}

const setupLink = /\/account\/setup#token=([\w-]+)/

/** Makes the first administrator and logs in: two hashes, which belong to what a server holds after some work. */
async function logIn(address: string, token: string): Promise<string> {
  const person = { email: 'ann@example.com', password: 'violet anchors hum softly' }
  const headers = { 'content-type': 'application/json' }
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(address + path, { method: 'POST', headers, body: JSON.stringify(body) })
  assert((await post('/api/auth/setup', { ...person, token })).ok, 'the link makes an administrator')
  const reply: unknown = await (await post('/api/auth/login', person)).json()
  return String(Reflect.get(Object(reply), 'accessToken'))
}

interface Start {
  readonly readyMs: number
  readonly memoryBytes: number
  readonly memoryAfterBytes: number
}

async function measureStart(args: readonly string[]): Promise<Start> {
  const startMs = performance.now()
  // The link is printed once it listens.
  const server = await startServer(args, setupLink)
  try {
    const ready = await fetch(`${server.address}/health/ready`)
    const readyMs = performance.now() - startMs
    assert(ready.status === 200, 'the example is ready when it listens')
    const memoryBytes = server.memoryBytes()
    const token = await logIn(server.address, setupLink.exec(server.said)?.[1] ?? '')
    for (let n = 0; n < requestCount; n++) await request(server.address, token)
    return { readyMs, memoryBytes, memoryAfterBytes: server.memoryBytes() }
  } finally {
    await server.stop()
  }
}

// The first few hundred read through the whole pipeline and the database; the rate limit refuses the others, which is
// also work. All come from one person at one address, as the worst client would send them.
async function request(address: string, token: string): Promise<void> {
  const response = await fetch(`${address}/api/notes`, { headers: { authorization: `Bearer ${token}` } })
  await response.arrayBuffer()
  assert(
    response.status === 200 || response.status === 429,
    `a read is answered, not with ${response.status}`,
  )
}

// In turn, so that whatever else the machine does at the time weighs on both alike. The first start of each fills the
// caches of the operating system and of Node and does not count: it is told as the first.
async function measureAll(): Promise<readonly (readonly Start[])[]> {
  const starts: Start[][] = ways.map(() => [])
  for (let n = 0; n <= startCount; n++)
    for (const [index, { args }] of ways.entries()) starts[index]?.push(await measureStart(args))
  return starts
}

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`
const milliseconds = (ms: number): string => `${ms.toFixed(0)} ms`

execFileSync('npm', ['run', '--silent', 'build'], { cwd: rootDir, stdio: 'inherit' })
const measured = await measureAll()
const results = ways.map(({ name }, index) => {
  const [first, ...starts] = measured[index] ?? []
  const of = (member: keyof Start): readonly number[] => starts.map((start) => start[member])
  return {
    name,
    readyFirstMs: first?.readyMs ?? 0,
    readyMedianMs: median(of('readyMs')),
    readyP95Ms: percentile(of('readyMs'), 0.95),
    memoryMedianBytes: median(of('memoryBytes')),
    memoryAfterMedianBytes: median(of('memoryAfterBytes')),
  }
})
const verdicts = results.map(
  (one) => one.readyMedianMs < targetReadyMs && one.memoryMedianBytes < targetMemoryBytes,
)
process.stdout.write(
  tableText([
    ['example', 'ready median', 'p95', 'first', 'memory', `after ${requestCount} requests`, ''],
    ...results.map((one, index) => [
      one.name,
      milliseconds(one.readyMedianMs),
      milliseconds(one.readyP95Ms),
      milliseconds(one.readyFirstMs),
      mebibytes(one.memoryMedianBytes),
      mebibytes(one.memoryAfterMedianBytes),
      verdicts[index] === true ? 'PASS' : 'FAIL',
    ]),
    ['target', `< ${targetReadyMs} ms`, '', '', `< ${mebibytes(targetMemoryBytes)}`],
  ]),
)
mkdirSync(join(rootDir, 'bench/results'), { recursive: true })
const machine = { node: process.version, cpuCount: cpus().length, cpu: cpus()[0]?.model ?? 'unknown' }
writeFileSync(
  join(rootDir, 'bench/results/startup.json'),
  `${JSON.stringify({ machine, startCount, results }, null, 2)}\n`,
)
process.exitCode = verdicts.every(Boolean) ? 0 : 1
