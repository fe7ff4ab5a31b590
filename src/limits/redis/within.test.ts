import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { within } from './within.ts'

function block(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}

describe('within', () => {
  it('V16.5.2 gives up on what never comes', async () => {
    await expect(within(5, new Promise(() => undefined))).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('hands on what comes, good or bad', async () => {
    expect(await within(1_000, Promise.resolve(7))).toBe(7)
    await expect(within(1_000, Promise.reject(new TypeError('bad')))).rejects.toThrow('bad')
  })

  it('does not take a busy process for a silent server: an answer that has arrived counts', async () => {
    const server = createServer((socket) => void socket.write('answer')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new TypeError('a port has an address')
    const socket = createConnection(address.port, '127.0.0.1')
    await once(socket, 'connect')
    const answer = once(socket, 'data').then(([data]) => String(data))
    const outcome = within(10, answer)
    // Both the timer and the answer are due when the process looks again, and it looks at timers first.
    block(15)
    expect(await outcome).toBe('answer')
    socket.destroy()
    server.close()
  })

  it('starts once more when nothing ran meanwhile, and only once', async () => {
    const startMs = performance.now()
    const outcome = within(20, new Promise(() => undefined))
    block(100)
    await expect(outcome).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(119)
  })
})
