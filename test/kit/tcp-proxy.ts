import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** Stands between a client and a server of a test, to be cut, frozen and brought back. */
export interface TcpProxy {
  readonly port: number
  /** Breaks every connection and takes no new one. */
  cut(): Promise<void>
  /** Takes connections again, on the same port. */
  restore(): Promise<void>
  /** Keeps connections and passes nothing on. */
  freeze(): void
  /** Passes everything on again. */
  thaw(): void
  close(): Promise<void>
}

/** Opens a proxy to a local port. */
export async function tcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let isFrozen = false
  let server = serverOf()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0

  function serverOf(): Server {
    return createServer((client) => {
      const upstream = connect(targetPort, '127.0.0.1')
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(from)
        from.on('data', (chunk) => to.write(chunk))
        from.on('close', () => {
          sockets.delete(from)
          to.destroy()
        })
        from.on('error', () => to.destroy())
        if (isFrozen) from.pause()
      }
    })
  }

  async function cut(): Promise<void> {
    server.close()
    for (const socket of sockets) socket.destroy()
  }

  return {
    port,
    cut,
    async restore() {
      server = serverOf()
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    freeze() {
      isFrozen = true
      for (const socket of sockets) socket.pause()
    },
    thaw() {
      isFrozen = false
      for (const socket of sockets) socket.resume()
    },
    close: cut,
  }
}
