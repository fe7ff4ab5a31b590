import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert } from '../src/base/index.ts'
import { pump, type RawCall, rawCall } from './scale-client.ts'
import { noteIdOf } from './scale-fill.ts'
import { benchPassword, type Dimension, type Operation } from './scale-words.ts'
import { rootDir, startServer } from './server-process.ts'

/** A server whose data grow, and what is done to it. */
export interface ScaleNode {
  readonly address: string
  readonly ownerId: string
  /** The file of its database. */
  readonly file: string
  memoryBytes(): number
  stop(): Promise<void>
}

/** What one operation cost at one size. */
export interface Cost {
  /** Processor time of the server for one: of all its threads; of a sign-in the main thread's, without the hashing. */
  readonly microseconds: number
  readonly perSecond: number
}

/** How far the data have grown: what is read is chosen from all of it. */
export interface Size {
  readonly dimension: Dimension
  readonly count: number
}

const connectionCount = 8
// A page that takes long holds up the event loop: more at once, and the server would turn them away, which is its duty.
const listConnectionCount = 2
const sessionCount = connectionCount

/** Starts a server with a thousand accounts and twenty notes. */
export async function startNode(): Promise<ScaleNode> {
  const args = ['--conditions=holdfast-source', join(rootDir, 'bench/scale-server.ts')]
  const server = await startServer(args, /^\{"ownerId.*\}$/m)
  const said: unknown = JSON.parse(/^\{"ownerId.*\}$/m.exec(server.said)?.[0] ?? '')
  const of = (name: string): string => String(Reflect.get(Object(said), name))
  pids.set(server.address, Number(of('pid')))
  return {
    address: server.address,
    ownerId: of('ownerId'),
    file: join(of('dataDir'), 'app.sqlite'),
    memoryBytes: server.memoryBytes,
    async stop() {
      pids.delete(server.address)
      await server.stop()
    },
  }
}

const pids = new Map<string, number>()

/** Ends the servers at once, when the bench is told to end. */
export function killNodes(): void {
  for (const pid of pids.values()) process.kill(pid)
}

const turns = { count: 0 }

/** An address that has not asked before: limits by address are no part of what is measured. */
function freshAddress(): string {
  turns.count += 1
  return `10.${(turns.count >> 16) & 255}.${(turns.count >> 8) & 255}.${turns.count & 255}`
}

/** Signs in. @returns both tokens */
async function signIn(address: string, email: string): Promise<{ access: string; refresh: string }> {
  const tokens = { access: '', refresh: '' }
  let isSent = false
  await pump(address, 1, () => {
    if (isSent) return undefined
    isSent = true
    return { text: signInText(address, email), onAnswer: (body) => Object.assign(tokens, tokensIn(body)) }
  })
  return tokens
}

function signInText(address: string, email: string): string {
  const fields = { 'x-forwarded-for': freshAddress() }
  return rawCall(address, 'POST /api/auth/login', fields, JSON.stringify({ email, password: benchPassword }))
}

function tokensIn(body: string): { readonly access: string; readonly refresh: string } {
  const json: unknown = JSON.parse(body)
  return {
    access: String(Reflect.get(Object(json), 'accessToken')),
    refresh: String(Reflect.get(Object(json), 'refreshToken')),
  }
}

/** What a node is asked with: the reader's token, and refresh tokens that follow each other. */
export interface Credentials {
  readonly access: string
  readonly refresh: string[]
  /** Where the second page begins. */
  cursor: string
  /** Notes that were there from the start. */
  readonly noteIds: readonly string[]
}

/** Signs in everybody who is needed. */
export async function credentialsOf(node: ScaleNode): Promise<Credentials> {
  const { access } = await signIn(node.address, 'person0@example.com')
  const refresh: string[] = []
  for (let index = 1; index <= sessionCount; index += 1)
    refresh.push((await signIn(node.address, `person${index}@example.com`)).refresh)
  const noteIds: string[] = []
  const text = rawCall(node.address, 'GET /api/notes', { authorization: `Bearer ${access}` })
  await pump(node.address, 1, () =>
    noteIds.length > 0 ? undefined : { text, onAnswer: (body) => void noteIds.push(...idsIn(body)) },
  )
  return { access, refresh, cursor: '', noteIds }
}

/** Does one operation for a while, or so many times. */
export async function measure(
  node: ScaleNode,
  credentials: Credentials,
  operation: Operation,
  { size, durationMs }: { readonly size: Size; readonly durationMs: number },
): Promise<Cost> {
  const pid = pids.get(node.address)
  assert(pid !== undefined, 'the node runs')
  if (operation === 'second page') credentials.cursor = await secondPageAt(node, credentials)
  const onlyMain = operation === 'sign in'
  const before = nanoseconds(pid, onlyMain)
  const startMs = performance.now()
  const call = caller(node, credentials, operation, size)
  const isPage = operation === 'list' || operation === 'second page'
  const lanes = isPage ? listConnectionCount : connectionCount
  const count = await pump(node.address, lanes, (connection) =>
    performance.now() - startMs < durationMs ? call(connection) : undefined,
  )
  const microseconds = (nanoseconds(pid, onlyMain) - before) / 1_000 / count
  return { microseconds, perSecond: (count * 1_000) / (performance.now() - startMs) }
}

function caller(
  { address }: ScaleNode,
  credentials: Credentials,
  operation: Operation,
  size: Size,
): (connection: number) => RawCall {
  const fields = { authorization: `Bearer ${credentials.access}` }
  const list = rawCall(address, 'GET /api/notes', fields)
  switch (operation) {
    case 'list':
      return () => ({ text: list })
    case 'read':
      return () => ({ text: rawCall(address, `GET /api/notes/${noteIdFor(credentials, size)}`, fields) })
    case 'second page': {
      const at = encodeURIComponent(credentials.cursor)
      const text = rawCall(address, `GET /api/notes?cursor=${at}`, fields)
      return () => ({ text })
    }
    case 'refresh':
      return (connection) => ({
        text: rawCall(
          address,
          'POST /api/auth/refresh',
          { 'x-forwarded-for': freshAddress() },
          JSON.stringify({ refreshToken: credentials.refresh[connection] }),
        ),
        onAnswer: (body) => {
          credentials.refresh[connection] = tokensIn(body).refresh
        },
      })
    case 'sign in':
      return () => ({ text: signInText(address, `person${someone(size)}@example.com`) })
    default:
      return operation satisfies never
  }
}

/** The cursor of the first page as it is now. */
async function secondPageAt({ address }: ScaleNode, { access }: Credentials): Promise<string> {
  const found = { cursor: '' }
  const text = rawCall(address, 'GET /api/notes?limit=10', { authorization: `Bearer ${access}` })
  const onAnswer = (body: string): void => {
    found.cursor = String(Reflect.get(Object(JSON.parse(body)), 'nextCursor'))
  }
  await pump(address, 1, () => (found.cursor === '' ? { text, onAnswer } : undefined))
  return found.cursor
}

function idsIn(body: string): readonly string[] {
  const items: unknown = Reflect.get(Object(JSON.parse(body)), 'items')
  return Array.isArray(items) ? items.map((item) => String(Reflect.get(Object(item), 'id'))) : []
}

/** Any of the reader's notes: of all there are, when the reader has those that were filled in. */
function noteIdFor({ noteIds }: Credentials, { dimension, count }: Size): string {
  if (dimension === 'notes of one owner') return noteIdOf(Math.floor(Math.random() * count))
  return noteIds[Math.floor(Math.random() * noteIds.length)] ?? ''
}

function someone({ dimension, count }: Size): number {
  return Math.floor(Math.random() * (dimension === 'accounts' ? count : 1_000))
}

/** Makes the store of limits hold this many keys, each of an address of its own. */
export async function countAddresses(address: string, from: number, to: number): Promise<void> {
  let number = from
  await pump(address, connectionCount * 4, () => {
    if (number >= to) return undefined
    number += 1
    const client = `${20 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}.9`
    return { text: rawCall(address, 'GET /count', { 'x-forwarded-for': client }) }
  })
}

// In nanoseconds, and of the threads that are there: ticks of ten milliseconds would be too coarse.
function nanoseconds(pid: number, onlyMain: boolean): number {
  const threads = onlyMain ? [String(pid)] : readdirSync(`/proc/${pid}/task`)
  return threads.reduce((sum, thread) => sum + runNanoseconds(`/proc/${pid}/task/${thread}/schedstat`), 0)
}

function runNanoseconds(file: string): number {
  return Number(readFileSync(file, 'latin1').split(' ')[0])
}
