import { createSocket } from 'node:dgram'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import type { Finding } from '../../src/detection/index.ts'
import type { Certificate } from './smtp.ts'

/** A request as a receiver has got it. */
export interface ReceivedPost {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What an HTTP receiver does with a request. */
export type ReceiverManner =
  | { readonly kind: 'takes' }
  | { readonly kind: 'answers'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Never answers. */
  | { readonly kind: 'stalls' }
  /** Answers 200, and never comes to the end of it. */
  | { readonly kind: 'babbles' }

/** An HTTP server that takes alerts. */
export interface AlertReceiver {
  readonly url: string
  readonly posts: readonly ReceivedPost[]
  /** How many connections are open. */
  readonly openCount: number
  /** Changes its manner from now on; after so many requests it takes them again. */
  behave(manner: ReceiverManner, count?: number): void
  /** Resolves when that many requests have come. */
  received(count: number): Promise<void>
  close(): Promise<void>
}

/** Starts a real HTTP server on a free port of 127.0.0.1; with a certificate it speaks TLS. */
export async function startAlertReceiver(certificate?: Certificate): Promise<AlertReceiver> {
  const posts: ReceivedPost[] = []
  const sockets = new Set<Socket>()
  let manner: ReceiverManner = { kind: 'takes' }
  let mannerCount = Number.POSITIVE_INFINITY
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)])
      const body = Buffer.concat(chunks).toString()
      posts.push({ path: request.url ?? '', headers: Object.fromEntries(headers), body })
      const now: ReceiverManner = mannerCount > 0 ? manner : { kind: 'takes' }
      mannerCount -= 1
      answer(response, now)
    })
  }
  const server: Server =
    certificate === undefined ? createHttpServer(listener) : createHttpsServer(certificate, listener)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  const port = await listening(server)
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}/hook`,
    posts,
    get openCount() {
      return sockets.size
    },
    behave(next, count = Number.POSITIVE_INFINITY) {
      manner = next
      mannerCount = count
    },
    received: (count) => until(() => posts.length >= count),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function answer(response: ServerResponse, manner: ReceiverManner): void {
  switch (manner.kind) {
    case 'stalls':
      return
    case 'babbles':
      response.writeHead(200)
      response.write('x'.repeat(200_000))
      return
    case 'answers':
      response.writeHead(manner.status, { ...manner.headers })
      response.end('no <secret> for you')
      return
    default:
      response.writeHead(202)
      response.end('{"status":"success"}')
  }
}

/** A syslog receiver. */
export interface SyslogReceiver {
  readonly port: number
  /** Messages as they came, without what framed them. */
  readonly messages: readonly string[]
  received(count: number): Promise<void>
  close(): Promise<void>
}

/** Starts a real syslog receiver on a free port of 127.0.0.1. */
export async function startSyslogReceiver(
  protocol: 'udp' | 'tcp' | 'tls',
  certificate?: Certificate,
): Promise<SyslogReceiver> {
  const messages: string[] = []
  const received = (count: number): Promise<void> => until(() => messages.length >= count)
  if (protocol === 'udp') {
    const socket = createSocket('udp4', (message) => messages.push(message.toString()))
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    const close = (): Promise<void> => new Promise((resolve) => socket.close(() => resolve()))
    return { port: socket.address().port, messages, received, close }
  }
  const take = (socket: Socket): void => {
    const chunks: Buffer[] = []
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('end', () => {
      messages.push(...framesIn(Buffer.concat(chunks)))
      socket.end()
    })
  }
  const server = protocol === 'tcp' ? createTcpServer(take) : createTlsServer({ ...certificate }, take)
  const port = await listening(server)
  return {
    port,
    messages,
    received,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** Takes octet-counted frames apart (RFC 6587 §3.4.1). What is none is given back as it is, behind a mark. */
export function framesIn(bytes: Buffer): readonly string[] {
  const frames: string[] = []
  let rest = bytes
  while (rest.length > 0) {
    const length = /^[1-9]\d{0,8} /.exec(rest.subarray(0, 10).toString('latin1'))?.[0]
    if (length === undefined) return [...frames, `unframed: ${rest.toString()}`]
    const end = length.length + Number(length)
    frames.push(rest.subarray(length.length, end).toString())
    rest = rest.subarray(end)
  }
  return frames
}

async function listening(server: {
  listen(port: number, host: string, done: () => void): unknown
  address(): unknown
}): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : 0
}

const deadlineMs = 15_000

/** Waits until something is so. @throws Error after a while */
export async function until(isSo: () => boolean): Promise<void> {
  const endMs = Date.now() + deadlineMs
  while (!isSo()) {
    if (Date.now() > endMs) throw new Error('what was waited for has not come')
    await delay(10)
  }
}

/** A finding of a detector, with what a test wants to say about it. */
export function foundBy(detector: string, about: Partial<Finding> = {}): Finding {
  return {
    detector,
    points: [],
    event: 'attack_detected',
    level: 'warn',
    subject: { by: 'address', value: '203.0.113.9' },
    summary: 'Something was seen.',
    count: 1,
    windowMs: 60_000,
    firstMs: 0,
    lastMs: 0,
    addresses: [],
    accounts: [],
    sessions: [],
    routes: [],
    responses: ['alert'],
    ...about,
  }
}
