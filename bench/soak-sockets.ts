import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

// Attacks below HTTP. What comes back does not matter; the server has to live through them and forget them.

const patienceMs = 3_000
const slowByteMs = 50

async function open(address: string): Promise<Socket> {
  const { hostname, port } = new URL(address)
  const socket = connect(Number(port), hostname)
  // A reset is one of the right answers to all of this.
  socket.on('error', () => {})
  socket.resume()
  await Promise.race([once(socket, 'connect').catch(() => {}), delay(patienceMs)])
  return socket
}

/** Begins a request and goes away: in the head, in the body, or with the answer on its way. */
export async function halfSend(address: string, random: () => number): Promise<void> {
  const socket = await open(address)
  const head =
    'POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 400\r\n'
  const parts = [
    'GET /api/no',
    `${head}\r\n{"email":"a`,
    `GET / HTTP/1.1\r\nhost: ${new URL(address).host}\r\n\r\n`,
  ]
  socket.write(parts[Math.floor(random() * parts.length)] ?? '')
  await delay(random() * 20)
  socket.resetAndDestroy()
}

/** Bytes that are no HTTP, or HTTP that is meant to be read in two ways. */
export async function garble(address: string, random: () => number): Promise<void> {
  const socket = await open(address)
  const { host } = new URL(address)
  const noise = Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256)))
  const messages = [
    noise,
    Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'latin1'),
    Buffer.from(
      `POST / HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n`,
    ),
    Buffer.from(`GET / HTTP/1.1\r\nhost: ${host}\r\nhost: evil.example\r\n\r\n`),
    Buffer.from(`GET / HTTP/1.1\r\nhost: ${host}\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`),
  ]
  socket.write(messages[Math.floor(random() * messages.length)] ?? noise)
  await Promise.race([once(socket, 'close').catch(() => {}), delay(patienceMs / 10)])
  socket.destroy()
}

/** A head that takes its time, byte by byte, and never ends. */
export async function sendSlowly(address: string, isOver: () => boolean): Promise<void> {
  const socket = await open(address)
  const endMs = performance.now() + patienceMs
  socket.write('GET / HTTP/1.1\r\nx-slow: ')
  while (performance.now() < endMs && !socket.destroyed && !isOver()) {
    socket.write('z')
    await delay(slowByteMs)
  }
  socket.destroy()
}
