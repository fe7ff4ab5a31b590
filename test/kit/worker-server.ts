import { strict as assert } from 'node:assert'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { memberOf } from './client.ts'
import { type Ended, type Running, startHoldfast } from './command-line.ts'

const app = fileURLToPath(new URL('../fixtures/workers/app.ts', import.meta.url))

/** What came of a request; status 0 when no reply came. */
export interface Reply {
  readonly status: number
  readonly text: string
  /** The body read as JSON; `undefined` when it is none. */
  readonly json: unknown
}

const none: Reply = { status: 0, text: '', json: undefined }

/** `holdfast start --workers`, as a process of its own. */
export interface WorkerServer {
  readonly running: Running
  /** How it has ended; its folder is gone then. */
  readonly ended: Promise<Ended>
  readonly environment: Readonly<Record<string, string>>
  readonly port: number
  /** Sends a request over a connection of its own: which worker gets it is for the kernel to say. */
  ask(method: string, path: string, asking?: WorkerAsking): Promise<Reply>
  /** Logs somebody in. @returns the access token */
  logIn(name: 'root' | 'ann' | 'ben'): Promise<string>
  /** The threads that answer. */
  threads(): Promise<ReadonlySet<number>>
  stop(): Promise<Ended>
}

/** What a request carries. */
export interface WorkerAsking {
  /** The client's address. */
  readonly from?: string
  readonly token?: string
  readonly body?: unknown
}

/** Starts it on a folder of its own. */
export async function startWorkers(
  workerCount: number,
  more: Readonly<Record<string, string>> = {},
): Promise<WorkerServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-workers-'))
  const environment = {
    NODE_ENV: 'test',
    PORT: '0',
    HOLDFAST_DATA_DIR: folder,
    HOLDFAST_SECRET: randomBytes(32).toString('base64'),
    TRUSTED_PROXIES: '127.0.0.1',
    LOG_LEVEL: 'info',
    ...more,
  }
  const running = startHoldfast(['start', '--workers', String(workerCount), app], { environment })
  const ended = running.ended.then(async (how) => {
    await rm(folder, { recursive: true, force: true })
    return how
  })
  await running.says('everybody is here')
  // One that is alone does not say its number.
  for (let number = 1; workerCount > 1 && number <= workerCount; number++)
    await running.says(`"worker":${number},"address"`)
  const port = Number(/"address":"http:\/\/127\.0\.0\.1:([0-9]+)"/.exec(running.heard().out)?.[1])
  const agent = new Agent({ keepAlive: false })
  const ask = (method: string, path: string, asking: WorkerAsking = {}): Promise<Reply> =>
    sent(agent, { port, method, path }, asking)
  return {
    ...{ running, ended, environment, port, ask },
    async logIn(name) {
      const body = { email: `${name}@example.com`, password: 'correct horse staple' }
      const reply = await ask('POST', '/api/auth/login', { body })
      assert.equal(reply.status, 200, `${name} logs in`)
      return String(memberOf(reply.json, 'accessToken'))
    },
    async threads() {
      const replies = await Promise.all(Array.from({ length: 40 }, () => ask('GET', '/thread')))
      return new Set(replies.filter(({ status }) => status === 200).map(threadOf))
    },
    async stop() {
      running.signal('SIGTERM')
      return await ended
    },
  }
}

/** Which thread has answered. */
export function threadOf({ json }: Reply): number {
  return Number(memberOf(json, 'thread'))
}

function sent(
  agent: Agent,
  target: { readonly port: number; readonly method: string; readonly path: string },
  { from = '192.0.2.1', token, body }: WorkerAsking,
): Promise<Reply> {
  const content = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve) => {
    const outgoing = request(
      {
        ...target,
        agent,
        host: '127.0.0.1',
        headers: {
          'x-forwarded-for': from,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(content === undefined ? {} : { 'content-type': 'application/json' }),
        },
      },
      (incoming) => {
        const parts: Buffer[] = []
        incoming.on('data', (part: Buffer) => parts.push(part))
        incoming.on('error', () => resolve(none))
        incoming.on('end', () => {
          const text = Buffer.concat(parts).toString()
          const isJson = String(incoming.headers['content-type']).includes('json')
          const json: unknown = isJson && text !== '' ? JSON.parse(text) : undefined
          resolve({ status: incoming.statusCode ?? 0, text, json })
        })
      },
    )
    outgoing.on('error', () => resolve(none))
    outgoing.end(content)
  })
}
