import { connect, type Socket } from 'node:net'
import { assert } from '../src/base/index.ts'

const comeBackMs = 1_000

/** One request as bytes of HTTP/1.1, and what is done with its answer. */
export interface RawCall {
  readonly text: string
  /** Told the body of an answer with status 200. */
  readonly onAnswer?: (body: string) => void
}

/** Puts a request together. @param address `http://127.0.0.1:PORT` */
export function rawCall(
  address: string,
  line: string,
  fields: Readonly<Record<string, string>>,
  body = '',
): string {
  const { host } = new URL(address)
  const all: Record<string, string> = { host, ...fields }
  if (body !== '') {
    all['content-type'] = 'application/json'
    all['content-length'] = String(Buffer.byteLength(body))
  }
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${line} HTTP/1.1\r\n${head.join('')}\r\n${body}`
}

/**
 * Sends requests on some connections, one at a time on each, until there are no more.
 *
 * @param next The next request for a connection; `undefined` ends that connection's part.
 * @returns how many were answered
 * @throws Error for an answer that is neither 200 nor 503, after which it is sent again
 */
export async function pump(
  address: string,
  connectionCount: number,
  next: (connection: number) => RawCall | undefined,
): Promise<number> {
  const counts = await Promise.all(
    Array.from({ length: connectionCount }, (_, number) => one(address, () => next(number))),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

function one(address: string, next: () => RawCall | undefined): Promise<number> {
  const { hostname, port } = new URL(address)
  return new Promise((resolve, reject) => {
    let answerCount = 0
    let pending = ''
    let call = next()
    let socket: Socket
    const send = (): void => {
      if (call === undefined) {
        socket.destroy()
        resolve(answerCount)
      } else socket.write(call.text, 'latin1')
    }
    const take = (part: string): void => {
      pending += part
      const answer = answerIn(pending)
      if (answer === undefined) return
      pending = ''
      if (answer.status === 503) {
        // A machine that runs much beside the bench makes the server late, and then it asks to come back.
        socket.destroy()
        setTimeout(open, comeBackMs)
        return
      }
      if (answer.status !== 200) {
        socket.destroy()
        reject(
          new Error(
            `${call?.text.split('\r\n')[0]} was answered ${answer.status}: ${answer.body.slice(0, 300)}`,
          ),
        )
        return
      }
      answerCount += 1
      call?.onAnswer?.(answer.body)
      call = next()
      if (answer.isLast) {
        socket.destroy()
        open()
      } else send()
    }
    const open = (): void => {
      socket = connect({ host: hostname, port: Number(port), noDelay: true }, send)
      socket.setEncoding('utf8')
      socket.on('data', (part) => take(String(part)))
      socket.on('error', reject)
    }
    open()
  })
}

interface Answer {
  readonly status: number
  readonly body: string
  /** The server closes the connection behind it. */
  readonly isLast: boolean
}

function answerIn(text: string): Answer | undefined {
  const headChars = text.indexOf('\r\n\r\n') + 4
  if (headChars < 4) return undefined
  const head = text.slice(0, headChars)
  const length = /^content-length: (\d+)\r$/im.exec(head)?.[1]
  assert(length !== undefined, 'the server tells the length of its answers')
  const body = text.slice(headChars)
  if (Buffer.byteLength(body) < Number(length)) return undefined
  return {
    status: Number(head.slice(9, 12)),
    body,
    isLast: /^connection: close\r$/im.test(head),
  }
}
