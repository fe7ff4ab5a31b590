import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP server of the test between a client and its server, which can fail as a network does. */
export interface PostgresWire {
  /** The URL that was given, leading through the proxy. */
  readonly url: string
  /** How often the client has written after it had heard from the server: round trips, without the connecting. */
  roundTrips(): number
  /** Every byte that the client has sent, as text. */
  sent(): string
  /** Ends every connection and refuses new ones. */
  cut(): Promise<void>
  /** Takes in connections and bytes, and hands nothing on. */
  freeze(): void
  /** Lets bytes and connections through again. What was frozen stays lost, as behind a router that forgot it. */
  restore(): Promise<void>
  close(): Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
}

/** Puts a proxy before the server of a URL. */
export async function postgresWire(url: string): Promise<PostgresWire> {
  const target = new URL(url)
  const pairs = new Set<Pair>()
  let isFrozen = false
  let roundTripCount = 0
  let sent = ''
  let listening: Server | undefined

  const onConnection = (client: Socket): void => {
    const server = connect(Number(target.port || 5432), target.hostname)
    const pair = { client, server }
    pairs.add(pair)
    let isClientsTurn = true
    client.on('data', (bytes) => {
      if (isFrozen) return
      if (isClientsTurn) roundTripCount += 1
      isClientsTurn = false
      sent += bytes.toString('latin1')
      server.write(bytes)
    })
    server.on('data', (bytes) => {
      if (isFrozen) return
      isClientsTurn = true
      client.write(bytes)
    })
    endTogether(pair, () => pairs.delete(pair))
  }

  const listen = async (port: number): Promise<number> => {
    listening = createServer(onConnection).listen(port, '127.0.0.1')
    await once(listening, 'listening')
    const address = listening.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  const cut = async (): Promise<void> => {
    const server = listening
    listening = undefined
    server?.close()
    for (const { client, server: behind } of [...pairs]) {
      client.resetAndDestroy()
      behind.destroy()
    }
    if (server?.listening) await once(server, 'close')
  }

  const port = await listen(0)
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String(port)
  return {
    url: through.href,
    roundTrips: () => roundTripCount,
    sent: () => sent,
    cut,
    freeze: () => {
      isFrozen = true
    },
    restore: async () => {
      for (const { client, server } of isFrozen ? [...pairs] : []) {
        client.destroy()
        server.destroy()
      }
      isFrozen = false
      if (listening === undefined) await listen(port)
    },
    close: cut,
  }
}

/** Ends one side when the other ends. */
function endTogether({ client, server }: Pair, onEnd: () => void): void {
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on('error', () => undefined)
    one.on('close', () => {
      onEnd()
      other.destroy()
    })
  }
}
