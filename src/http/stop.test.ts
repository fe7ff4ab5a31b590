import { type ChildProcess, spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../observe/index.ts'
import { createEdge } from './edge.ts'
import { onSignals, stopGracefully } from './stop.ts'

const here = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href)

/** A server of its own: `/slow` answers when it is told to over standard input, `/stuck` never does. */
function script(deadlineMs: number): string {
  return `
    import { createEdge } from ${here('./edge.ts')}
    import { onSignals, stopGracefully } from ${here('./stop.ts')}
    import { createLogger } from ${here('../observe/index.ts')}
    const logger = createLogger({ level: 'info' })
    const edge = createEdge({ origin: new URL('http://localhost'), mode: 'test', trustedProxies: [], allowedOrigins: [], logger })
    edge.fastify.get('/ok', async () => ({ ok: true }))
    edge.fastify.get('/slow', () => {
      console.log('SLOW')
      return new Promise((done) => process.stdin.once('data', () => done({ slow: true })))
    })
    edge.fastify.get('/stream', (_request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'content-length': 10 }).write('12345')
      process.stdin.once('data', () => reply.raw.end('67890'))
    })
    edge.fastify.get('/crash', async () => { setImmediate(() => { throw new TypeError('nobody caught me') }); return {} })
    edge.fastify.get('/stuck', () => { console.log('STUCK'); return new Promise(() => {}) })
    await edge.fastify.listen({ host: '127.0.0.1', port: 0 })
    const closers = [{ name: 'database', close: async () => console.log('DATABASE CLOSED') }]
    onSignals(process, logger, () => stopGracefully({ edge, logger, deadlineMs: ${deadlineMs}, closers }))
    console.log('PORT=' + edge.fastify.server.address().port + '.')
  `
}

interface Child {
  readonly process: ChildProcess
  readonly output: () => string
  readonly exit: Promise<number | null>
  readonly port: number
  /** Waits until the output holds the text. */
  said(text: string): Promise<void>
}

async function start(deadlineMs: number): Promise<Child> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script(deadlineMs)], { stdio: 'pipe' })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  const exit = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const said = (text: string): Promise<void> =>
    expect.poll(() => output, { timeout: 10_000, interval: 10 }).toContain(text)
  await said('PORT=')
  await said('.\n')
  return { process: child, output: () => output, exit, port: Number(/PORT=(\d+)\./.exec(output)?.[1]), said }
}

interface Conversation {
  readonly socket: Socket
  readonly text: () => string
  readonly closed: Promise<void>
}

function open(port: number, path: string): Conversation {
  let text = ''
  const socket = connect(port, '127.0.0.1', () =>
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`),
  )
  socket.on('data', (chunk) => (text += String(chunk))).on('error', () => {})
  return { socket, text: () => text, closed: new Promise((resolve) => socket.on('close', () => resolve())) }
}

async function connectCode(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve('connected'))
    socket.on('error', (error: Error & { code?: string }) => resolve(error.code ?? ''))
    socket.on('connect', () => socket.destroy())
  })
}

describe('SIGTERM', () => {
  it('V16.5.3 finishes what runs, refuses what is new, closes the database, exits 0', async () => {
    const child = await start(10_000)
    const idle = open(child.port, '/ok')
    await expect.poll(idle.text).toContain('"ok":true')
    const running = open(child.port, '/slow')
    await child.said('SLOW')
    child.process.kill('SIGTERM')
    await idle.closed
    await expect.poll(() => connectCode(child.port)).toBe('ECONNREFUSED')
    expect(running.text()).toBe('')
    expect(child.output()).not.toContain('DATABASE CLOSED')
    child.process.stdin?.write('go\n')
    await running.closed
    expect(running.text()).toMatch(/^HTTP\/1.1 200 /)
    expect(running.text()).toMatch(/connection: close/i)
    expect(running.text()).toContain('{"slow":true}')
    expect(await child.exit).toBe(0)
    expect(child.output()).toContain('DATABASE CLOSED')
    expect(child.output()).toContain('"outcome":"drained"')
  })

  it('V16.5.3 does not wait for a connection whose reply had begun and is over', async () => {
    const child = await start(60_000)
    const running = open(child.port, '/stream')
    await expect.poll(running.text).toContain('12345')
    child.process.kill('SIGTERM')
    await child.said('"msg":"stopping"')
    child.process.stdin?.write('go\n')
    await running.closed
    expect(running.text()).toContain('1234567890')
    expect(await child.exit).toBe(0)
  })

  it('V16.5.3 cuts off at the deadline what does not finish, and still closes the database', async () => {
    const child = await start(200)
    const running = open(child.port, '/stuck')
    await child.said('STUCK')
    child.process.kill('SIGINT')
    await running.closed
    expect(await child.exit).toBe(0)
    expect(child.output()).toContain('"outcome":"cut-off"')
    expect(child.output()).toContain('DATABASE CLOSED')
  })

  for (const [signal, code] of [
    ['SIGTERM', 1],
    ['SIGINT', 130],
  ] as const) {
    it(`V16.5.3 a second ${signal} exits at once with ${code}`, async () => {
      const child = await start(60_000)
      open(child.port, '/stuck')
      await child.said('STUCK')
      child.process.kill('SIGTERM')
      await child.said('"msg":"stopping"')
      child.process.kill(signal)
      expect(await child.exit).toBe(code)
    })
  }
})

describe('an error that nobody caught', () => {
  it('V16.5.4 is logged, and the process stops in good order with 1', async () => {
    const child = await start(10_000)
    const running = open(child.port, '/slow')
    await child.said('SLOW')
    open(child.port, '/crash')
    await child.said('nobody caught me')
    child.process.stdin?.write('go\n')
    await running.closed
    expect(running.text()).toContain('{"slow":true}')
    expect(await child.exit).toBe(1)
    expect(child.output()).toContain('"level":"fatal"')
    expect(child.output()).toContain('DATABASE CLOSED')
  })
})

describe('stopGracefully', () => {
  const options = {
    origin: new URL('http://localhost'),
    mode: 'test',
    trustedProxies: [],
    allowedOrigins: [],
    logger: createLogger({ level: 'silent' }),
  } as const

  it('V16.5.3 closes the rest when one part does not close, and says so', async () => {
    const edge = createEdge(options)
    await edge.fastify.listen({ host: '127.0.0.1', port: 0 })
    const closed: string[] = []
    const closers = [
      { name: 'queue', close: () => Promise.reject(new TypeError('stuck')) },
      { name: 'database', close: () => void closed.push(`database while ${edge.health.phase}`) },
    ]
    const outcome = await stopGracefully({ edge, logger: options.logger, deadlineMs: 1_000, closers })
    expect(outcome).toBe('failed')
    expect(closed).toEqual(['database while stopping'])
  })

  it('exits with 1 when the stop failed', async () => {
    const codes: number[] = []
    const listeners: ((error: unknown) => void)[] = []
    const source = {
      on: (_signal: string, listener: (error: unknown) => void) => listeners.push(listener),
      exit: (code: number) => codes.push(code),
    }
    onSignals(source, options.logger, async () => 'failed')
    listeners[0]?.(undefined)
    await new Promise(setImmediate)
    expect(codes).toEqual([1])
  })
})
