import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { assert } from '../src/base/index.ts'

const connectionCount = 16

/**
 * Asks for the same thing on some connections that stay open, one request at a time on each, and counts the answers.
 *
 * A client of its own because the HTTP client of Node costs more than the servers that are measured.
 *
 * @param durationMs How long.
 * @returns Answers per second.
 */
export async function requestsPerSecond(url: URL, token: string, durationMs: number): Promise<number> {
  const { host, hostname, port, pathname } = url
  const head = `GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`
  const endMs = performance.now() + durationMs
  const counts = Array.from({ length: connectionCount }, async () => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    await once(socket, 'connect')
    return await countAnswers(socket, head, endMs)
  })
  const total = (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
  return total / (durationMs / 1_000)
}

function countAnswers(socket: Socket, head: string, endMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let count = 0
    let text = ''
    socket.on('error', reject)
    socket.on('close', () => resolve(count))
    socket.on('data', (part) => {
      text += part.toString('latin1')
      if (!isWhole(text)) return
      if (!text.startsWith('HTTP/1.1 200 ')) return reject(new Error(`not 200: ${text}`))
      count++
      text = ''
      if (performance.now() < endMs) socket.write(head)
      else socket.destroy()
    })
    socket.write(head)
  })
}

function isWhole(text: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd === -1) return false
  const bodyBytes = /\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1]
  assert(bodyBytes !== undefined, 'both servers tell the length of their answers')
  return text.length >= headEnd + 4 + Number(bodyBytes)
}
