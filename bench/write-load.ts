import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { assert } from '../src/base/index.ts'
import { percentile } from './figures.ts'

// Writes over sockets of its own: the HTTP client of Node costs more than the servers that are measured.

/** What is written to, and as whom. */
export interface WriteTarget {
  readonly address: string
  readonly token: string
  /** The process that answers, so that the time of the processor that it uses can be told. */
  readonly pid: number
  /** Notes that may be changed; each connection has one of its own. */
  readonly noteIds: readonly string[]
}

/** What came of it. */
export interface WriteFigures {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time of the server, user and system, for one write. */
  readonly serverMicrosecondsEach: number
}

export type WriteKind = 'create' | 'update'

/** Writes on some connections, each as soon as its last write is answered. */
export async function writeLoad(
  target: WriteTarget,
  kind: WriteKind,
  connectionCount: number,
  durationMs: number,
): Promise<WriteFigures> {
  const writers = await Promise.all(
    Array.from({ length: connectionCount }, (_, index) => openWriter(target, kind, index)),
  )
  const before = processorMs(target.pid)
  const startMs = performance.now()
  const timesMs: number[] = []
  await Promise.all(
    writers.map(async (writer) => {
      while (performance.now() - startMs < durationMs) {
        const sentMs = performance.now()
        await writer.write()
        timesMs.push(performance.now() - sentMs)
      }
    }),
  )
  const tookMs = performance.now() - startMs
  const usedMs = processorMs(target.pid) - before
  for (const writer of writers) writer.close()
  return {
    perSecond: (timesMs.length / tookMs) * 1_000,
    p50Ms: percentile(timesMs, 0.5),
    p99Ms: percentile(timesMs, 0.99),
    serverMicrosecondsEach: (usedMs * 1_000) / timesMs.length,
  }
}

interface Writer {
  write(): Promise<void>
  close(): void
}

async function openWriter(
  { address, token, noteIds }: WriteTarget,
  kind: WriteKind,
  index: number,
): Promise<Writer> {
  const { hostname, port, host } = new URL(address)
  const line = kind === 'create' ? 'POST /api/notes' : `PATCH /api/notes/${noteIds[index % noteIds.length]}`
  const head = `${line} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n`
  let count = 0
  let socket: Socket | undefined
  const open = async (): Promise<Socket> => {
    const opened = connect({ host: hostname, port: Number(port), noDelay: true })
    await once(opened, 'connect')
    return opened
  }
  socket = await open()
  return {
    async write() {
      // A server may have had enough of a connection.
      if (socket === undefined || socket.destroyed) socket = await open()
      count += 1
      const body = JSON.stringify({
        title: `Note ${index}-${count}`,
        body: 'Bread, tea, lemons. '.repeat(10),
      })
      const closes = await answered(socket, `${head}content-length: ${body.length}\r\n\r\n${body}`)
      if (closes) socket.destroy()
    },
    close: () => socket?.destroy(),
  }
}

/** @returns whether the server closes the connection after this answer */
function answered(socket: Socket, request: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let text = ''
    const settle = (error: Error | undefined, closes = false): void => {
      socket.off('data', take).off('error', settle).off('close', closed)
      if (error === undefined) resolve(closes)
      else reject(error)
    }
    const closed = (): void => settle(new Error('closed before the answer'))
    const take = (part: Buffer): void => {
      text += part.toString('latin1')
      const headChars = text.indexOf('\r\n\r\n') + 4
      const bodyChars = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
      if (headChars < 4 || text.length < headChars + Number(bodyChars)) return
      if (/^HTTP\/1\.1 20[01] /.test(text))
        settle(undefined, /\r\nconnection: close/i.test(text.slice(0, headChars)))
      else settle(new Error(`not written: ${text}`))
    }
    socket.on('data', take).on('error', settle).on('close', closed)
    socket.write(request, 'latin1')
  })
}

// The unit of the kernel towards programs, whatever its own is.
const tickMs = 10

/** Processor time of a process, all its threads, in milliseconds. */
function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The second field is the name of the program, in brackets, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system] = [Number(fields[11]), Number(fields[12])]
  assert(Number.isFinite(user + system), 'the kernel tells the time of a process')
  return (user + system) * tickMs
}
