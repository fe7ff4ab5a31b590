import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { assert } from '../src/base/index.ts'
import { percentile } from './figures.ts'

// A client of its own, because the HTTP client of Node costs more than the servers that are measured.

/** What is asked for, of whom. */
export interface LoadTarget {
  readonly url: string
  readonly token: string
  /** The process that answers, so that the time of the processor that it uses can be told. */
  readonly pid: number
}

/** What came of a load. */
export interface LoadFigures {
  readonly answerCount: number
  readonly durationMs: number
  /** Processor time of the server, user and system, for one answer. */
  readonly serverMicrosecondsEach: number
  /** How much of its processor the server had: at full load anything but 100 is what others took. */
  readonly serverBusyPercent: number
  /** How much of its processor the client used: near 100, and it is the client that was measured. */
  readonly clientBusyPercent: number
}

/** What came of a load at a given rate. A request counts from when it was due, so that one that waits to be sent counts in full. */
export interface LatencyFigures extends LoadFigures {
  readonly medianMs: number
  readonly p99Ms: number
}

const connectionCount = 64

/** One request at a time on one connection; connects again when the server has had enough of it. */
class Connection {
  readonly #options: { readonly host: string; readonly port: number }
  readonly #head: string
  readonly #onAnswer: (connection: Connection) => void
  readonly #onFault: (error: Error) => void
  /** When what it waits for was due. */
  dueMs = 0
  #socket: Socket | undefined
  #pending = ''
  #isWaiting = false
  #isClosed = false

  constructor(
    target: LoadTarget,
    on: { readonly answer: (connection: Connection) => void; readonly fault: (error: Error) => void },
  ) {
    const { host, hostname, port, pathname } = new URL(target.url)
    this.#options = { host: hostname, port: Number(port) }
    this.#head = `GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${target.token}\r\n\r\n`
    this.#onAnswer = on.answer
    this.#onFault = on.fault
  }

  async open(): Promise<void> {
    await once(this.#connect(), 'connect')
  }

  ask(): void {
    this.#isWaiting = true
    const socket = this.#socket ?? this.#connect()
    socket.write(this.#head, 'latin1')
  }

  close(): void {
    this.#isClosed = true
    this.#socket?.destroy()
  }

  #connect(): Socket {
    // One buffer for each connection, filled again and again: no stream, no chunks to collect.
    const buffer = Buffer.allocUnsafe(16_384)
    const take = (byteCount: number): boolean => {
      this.#take(buffer.toString('latin1', 0, byteCount))
      return true
    }
    const socket = connect({ ...this.#options, noDelay: true, onread: { buffer, callback: take } })
    socket.on('error', (error) => {
      if (!this.#isClosed) this.#onFault(error)
    })
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      if (this.#isWaiting && !this.#isClosed) this.#onFault(new Error('closed before the answer'))
    })
    this.#socket = socket
    return socket
  }

  #take(part: string): void {
    const text = this.#pending + part
    const headChars = text.indexOf('\r\n\r\n') + 4
    if (headChars < 4 || text.length < headChars + bodyBytesOf(text, headChars)) {
      this.#pending = text
      return
    }
    this.#pending = ''
    if (!text.startsWith('HTTP/1.1 200 ')) {
      this.#onFault(new Error(`not 200: ${text}`))
      return
    }
    this.#isWaiting = false
    const closes = text.indexOf('onnection: close\r\n')
    if (closes !== -1 && closes < headChars) {
      this.#socket?.destroy()
      this.#socket = undefined
    }
    this.#onAnswer(this)
  }
}

function bodyBytesOf(text: string, headChars: number): number {
  let at = text.indexOf('ontent-length: ')
  if (at === -1) at = text.indexOf('ontent-Length: ')
  assert(at !== -1 && at < headChars, 'each server tells the length of its answers')
  return Number.parseInt(text.slice(at + 15, at + 22), 10)
}

/** All connections, opened. The callbacks hear of each answer; a fault of any ends the load. */
async function opened(
  target: LoadTarget,
  on: { readonly answer: (connection: Connection) => void; readonly fault: (error: Error) => void },
): Promise<readonly Connection[]> {
  const connections = Array.from({ length: connectionCount }, () => new Connection(target, on))
  await Promise.all(connections.map((connection) => connection.open()))
  return connections
}

/** Measures from before the first request until after the last answer. */
function meter(pid: number): (answerCount: number) => LoadFigures {
  const clientBefore = process.cpuUsage()
  const serverBefore = processorSeconds(pid)
  const startMs = performance.now()
  return (answerCount) => {
    const durationMs = performance.now() - startMs
    const { user, system } = process.cpuUsage(clientBefore)
    const serverSeconds = processorSeconds(pid) - serverBefore
    return {
      answerCount,
      durationMs,
      serverMicrosecondsEach: (serverSeconds * 1e6) / answerCount,
      serverBusyPercent: (serverSeconds * 1e5) / durationMs,
      clientBusyPercent: (user + system) / 10 / durationMs,
    }
  }
}

// The unit of the kernel towards programs, whatever its own is.
const ticksPerSecond = 100

/** The processor time that a process has used, in seconds: all its threads, user and system. */
export function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The second field is the name of the program, in brackets, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Asks on all connections as fast as answers come. */
export function fullLoad(target: LoadTarget, durationMs: number): Promise<LoadFigures> {
  return new Promise((resolve, reject) => {
    let answerCount = 0
    let openCount = connectionCount
    let endMs = Number.POSITIVE_INFINITY
    let finish: ReturnType<typeof meter> | undefined
    const answer = (connection: Connection): void => {
      answerCount += 1
      if (performance.now() < endMs) {
        connection.ask()
        return
      }
      connection.close()
      openCount -= 1
      if (openCount === 0 && finish !== undefined) resolve(finish(answerCount))
    }
    opened(target, { answer, fault: reject }).then((connections) => {
      finish = meter(target.pid)
      endMs = performance.now() + durationMs
      for (const connection of connections) connection.ask()
    }, reject)
  })
}

/**
 * Asks at a steady rate, whatever the answers take. A request that finds every connection in use waits, and counts from
 * when it was due.
 */
export function steadyLoad(
  target: LoadTarget,
  ratePerSecond: number,
  durationMs: number,
): Promise<LatencyFigures> {
  return new Promise((resolve, reject) => {
    const totalCount = Math.floor((ratePerSecond * durationMs) / 1_000)
    const intervalMs = 1_000 / ratePerSecond
    const latenciesMs = new Float64Array(totalCount)
    let answerCount = 0
    const idle: Connection[] = []
    let sentCount = 0
    let startMs = 0
    let isBroken = false
    let finish: ReturnType<typeof meter> | undefined
    const fault = (error: Error): void => {
      isBroken = true
      reject(error)
    }
    const sendDue = (nowMs: number): void => {
      while (sentCount < totalCount && startMs + sentCount * intervalMs <= nowMs) {
        const connection = idle.pop()
        if (connection === undefined) return
        connection.dueMs = startMs + sentCount * intervalMs
        sentCount += 1
        connection.ask()
      }
    }
    const answer = (connection: Connection): void => {
      latenciesMs[answerCount] = performance.now() - connection.dueMs
      answerCount += 1
      idle.push(connection)
    }
    // Never sleeps: a timer of Node is late by up to a millisecond, which is more than most answers take.
    const spin = (): void => {
      if (isBroken) return
      if (answerCount < totalCount) {
        sendDue(performance.now())
        setImmediate(spin)
        return
      }
      for (const connection of idle) connection.close()
      if (finish === undefined) return
      const figures = finish(totalCount)
      const all = [...latenciesMs]
      resolve({ ...figures, medianMs: percentile(all, 0.5), p99Ms: percentile(all, 0.99) })
    }
    opened(target, { answer, fault }).then((connections) => {
      idle.push(...connections)
      finish = meter(target.pid)
      startMs = performance.now()
      spin()
    }, reject)
  })
}
