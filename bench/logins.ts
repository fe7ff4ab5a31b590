import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { assert } from '../src/base/index.ts'
import { argon2Floor, hashPassword } from '../src/crypto/index.ts'
import { percentile, tableText } from './figures.ts'
import { rootDir, startServer } from './server-process.ts'

// What a flood of logins does to everybody else: how long an ordinary read takes at a steady rate, idle and meanwhile.
// How many logins there are, beside what hashing alone could do one after the other. And how many refreshes, which hash
// nothing: each is a transaction that is on the disk before it is answered.

const readsPerSecond = 100
const phaseMs = 8_000
const floodConnectionCount = 12
const password = 'violet anchors hum softly'

const introduction = /^(http\S+\/api\/notes\/\S+) (\S+)$/m
const args = ['--conditions=holdfast-source', join(rootDir, 'bench/serve-accounts.ts')]
const server = await startServer(args, introduction)
const [, url, token] = introduction.exec(server.said) ?? []
assert(url !== undefined && token !== undefined, 'the server says what to read')
const readers = new Agent({ keepAlive: true, maxSockets: 8 })
const flooders = new Agent({ keepAlive: true, maxSockets: floodConnectionCount })

interface Reply {
  readonly status: number
  readonly text: string
  readonly tookMs: number
}

let askedCount = 0
let floodedCount = 0

/** A new address for each request; whoever has a session keeps theirs, or would be taken for a thief. */
function anyAddress(): string {
  askedCount += 1
  return `10.${(askedCount >> 16) & 255}.${(askedCount >> 8) & 255}.${askedCount & 255}`
}

function ask(
  agent: Agent,
  method: string,
  target: string,
  { body, from = anyAddress() }: { readonly body?: string; readonly from?: string },
): Promise<Reply> {
  const headers = {
    'x-forwarded-for': from,
    // As whoever logged the reader in: another browser on the same session would be asked for the password.
    'user-agent': 'node',
    ...(body === undefined ? { authorization: `Bearer ${token}` } : { 'content-type': 'application/json' }),
  }
  const startMs = performance.now()
  return new Promise((resolve, reject) => {
    const asked = request(target, { agent, method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, tookMs: performance.now() - startMs }),
      )
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** Reads at a steady rate, whether or not the answers come: a server that stands still is not let off. */
async function readSteadily(): Promise<readonly number[]> {
  const replies: Promise<Reply>[] = []
  const startMs = performance.now()
  const totalCount = (phaseMs / 1_000) * readsPerSecond
  for (let count = 0; count < totalCount; count++) {
    const dueMs = startMs + (count * 1_000) / readsPerSecond
    const waitMs = dueMs - performance.now()
    if (waitMs > 0) await delay(waitMs)
    replies.push(ask(readers, 'GET', String(url), { from: '127.0.0.1' }))
  }
  const all = await Promise.all(replies)
  assert(
    all.every(({ status }) => status === 200),
    'every read is answered',
  )
  return all.map(({ tookMs }) => tookMs)
}

async function flood(
  isOver: () => boolean,
  emailOf: (count: number) => string,
): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>()
  const worker = async (): Promise<void> => {
    while (!isOver()) {
      floodedCount += 1
      const body = JSON.stringify({ email: emailOf(floodedCount), password })
      const { status } = await ask(flooders, 'POST', `${server.address}/api/auth/login`, { body })
      counts.set(status, (counts.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: floodConnectionCount }, worker))
  return counts
}

function refreshTokenIn({ status, text }: Reply): string {
  assert(status === 200, `answered with tokens: ${status} ${text}`)
  return String(Reflect.get(Object(JSON.parse(text)), 'refreshToken'))
}

/** Refreshes by several who are logged in, each as soon as the last one is answered. */
async function refreshTimes(clientCount: number): Promise<readonly number[]> {
  const post = (client: number, path: string, body: object): Promise<Reply> =>
    ask(flooders, 'POST', `${server.address}/api/auth/${path}`, {
      body: JSON.stringify(body),
      from: `172.16.1.${client}`,
    })
  const tokens: string[] = []
  for (let count = 0; count < clientCount; count += 1) {
    floodedCount += 1
    tokens.push(refreshTokenIn(await post(count, 'login', { email: somebody(floodedCount), password })))
  }
  const times: number[] = []
  const startMs = performance.now()
  const client = async (first: string, index: number): Promise<void> => {
    let refreshToken = first
    while (performance.now() - startMs < phaseMs / 2) {
      const reply = await post(index, 'refresh', { refreshToken })
      refreshToken = refreshTokenIn(reply)
      times.push(reply.tookMs)
    }
  }
  await Promise.all(tokens.map(client))
  return times
}

async function hashesPerSecond(): Promise<number> {
  const startMs = performance.now()
  let count = 0
  while (performance.now() - startMs < phaseMs / 2) {
    await hashPassword(password, argon2Floor)
    count += 1
  }
  return count / ((performance.now() - startMs) / 1_000)
}

/** Steady reads while clients log in, or try to. */
async function readBeside(emailOf: (count: number) => string): Promise<readonly number[]> {
  let isOver = false
  const flooding = flood(() => isOver, emailOf)
  await delay(1_000)
  const times = await readSteadily()
  isOver = true
  await flooding
  return times
}

const nobody = (count: number): string => `nobody${count}@example.com`
// Each logs in once: there is no end of people.
const somebody = (count: number): string => `person${count}@example.com`

try {
  await hashPassword(password, argon2Floor)
  const alone = await hashesPerSecond()
  await readSteadily()
  const idle = await readSteadily()
  const guessed = await readBeside(nobody)
  const loggedIn = await readBeside(somebody)
  // Without the reads beside it: the share of the hashing that logins reach.
  const startMs = performance.now()
  const only = await flood(() => performance.now() - startMs > phaseMs / 2, somebody)
  const logins = (only.get(200) ?? 0) / ((performance.now() - startMs) / 1_000)
  const refreshed = await refreshTimes(floodConnectionCount)
  const row = (name: string, values: readonly number[]): readonly string[] => [
    name,
    `${percentile(values, 0.5).toFixed(2)} ms`,
    `${percentile(values, 0.99).toFixed(2)} ms`,
    (percentile(values, 0.99) / percentile(idle, 0.99)).toFixed(2),
  ]
  process.stdout.write(
    tableText([
      [`${readsPerSecond} reads a second`, 'p50', 'p99', 'of idle'],
      row('idle', idle),
      row(`beside ${floodConnectionCount} clients that guess`, guessed),
      row(`beside ${floodConnectionCount} clients that log in`, loggedIn),
    ]),
  )
  process.stdout.write(
    `\n${logins.toFixed(1)} logins a second; hashing alone, one after the other, ${alone.toFixed(1)}: ${((logins / alone) * 100).toFixed(0)} %\n` +
      `${(refreshed.length / (phaseMs / 2_000)).toFixed(0)} refreshes a second by ${floodConnectionCount} clients, p50 ${percentile(refreshed, 0.5).toFixed(1)} ms, p99 ${percentile(refreshed, 0.99).toFixed(1)} ms\n` +
      `replies to the logins: ${[...only].map(([status, count]) => `${count} × ${status}`).join(', ')}\n`,
  )
} finally {
  readers.destroy()
  flooders.destroy()
  await server.stop()
}
