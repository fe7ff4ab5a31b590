import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { memberOf } from '../kit/client.ts'
import { engineKinds } from '../kit/databases.ts'
import { startNotes } from '../kit/notes-server.ts'

describe.each(engineKinds)('clients that leave at once, on %s', (engine) => {
  it.each([0, 3])('V16.2.1 are in the log all the same: after %s ms', async (afterMs) => {
    const notes = await startNotes(undefined, engine)
    const ann = notes.person('ann')
    const { port } = new URL(notes.address)
    const count = 10
    const body = JSON.stringify({ title: 'left', body: '' })
    const text = [
      'POST /api/notes HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      `Authorization: Bearer ${ann.token}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n')
    for (let sent = 0; sent < count; sent += 1) {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', () => undefined)
      await new Promise<void>((resolve) => socket.write(text, () => resolve()))
      if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs))
      // What was written before arrives, and is carried out.
      socket.destroy()
    }
    const made = async () => {
      const { json } = await ann.ask('GET', '/api/notes?limit=100')
      const items = memberOf(json, 'items')
      return Array.isArray(items) ? items.length : 0
    }
    const noted = () =>
      notes.lines
        .map((line): unknown => JSON.parse(line))
        .filter(
          (line) => memberOf(line, 'method') === 'POST' && memberOf(line, 'msg') === 'request completed',
        ).length
    await expect.poll(made, { timeout: 15_000 }).toBe(count)
    await expect.poll(noted, { timeout: 15_000 }).toBe(count)
    await notes.stop()
  })
})
