import { isIP } from 'node:net'
import { faultOf, type RedisFault } from './fault.ts'
import type { RedisTarget } from './target.ts'
import { within } from './within.ts'

/** A connection that is up. Once lost it stays lost: whoever holds it makes a new one. */
export interface Link {
  /**
   * Sends one command. Those of one turn of the event loop leave in one write.
   *
   * @param key Decides which node of a cluster gets it.
   */
  send(key: string, command: readonly string[]): Promise<unknown>
  /** Drops it, with everything that has not been answered. */
  drop(): void
}

/** How long connecting may take, each of its two steps: the socket with TLS, and logging in. */
export const connectTimeoutMs = 1_000

// In 25 ms a Redis that keeps up answers more than this; one that does not is helped by nothing that waits for it.
const commandCount = 10_000

/**
 * Connects, with the client loaded now: an application without Redis does not pay for it.
 *
 * The client neither reconnects nor keeps commands for later. Both are right for a cache and wrong for a limiter, whose
 * requests are answered long before.
 *
 * @param onLost Called when the connection is lost, perhaps more than once.
 * @throws RedisFault
 */
export async function connectRedis(target: RedisTarget, onLost: (fault: RedisFault) => void): Promise<Link> {
  const { createClient, createCluster } = await import('@redis/client')
  const lost = (error: unknown): void => onLost(faultOf(error))
  const { client, link } = target.isCluster
    ? clusterLink(createCluster(clusterOptions(target)).on('node-error', lost))
    : soloLink(createClient(clientOptions(target)))
  client.on('error', lost)
  try {
    await within(connectTimeoutMs * 2, client.connect())
    return link
  } catch (error) {
    link.drop()
    throw faultOf(error)
  }
}

/** What this file needs to know of a client, alone or of a cluster. */
interface Connecting {
  on(event: 'error', listener: (error: unknown) => void): unknown
  connect(): Promise<unknown>
}

interface Solo extends Connecting {
  sendCommand<T>(command: readonly string[]): Promise<T>
  destroy(): void
}

interface Cluster extends Connecting {
  sendCommand<T>(key: string, isReadOnly: boolean, command: string[]): Promise<T>
  destroy(): void
}

function soloLink(client: Solo): { readonly client: Connecting; readonly link: Link } {
  return {
    client,
    link: {
      send: (_key, command) => client.sendCommand<unknown>(command),
      drop: () => client.destroy(),
    },
  }
}

function clusterLink(client: Cluster): { readonly client: Connecting; readonly link: Link } {
  return {
    client,
    link: {
      send: (key, command) => client.sendCommand<unknown>(key, false, [...command]),
      drop: () => client.destroy(),
    },
  }
}

function clientOptions(target: RedisTarget) {
  const { host, port, database } = target
  const address = { host, port }
  const socket = target.isTls
    ? // The name for SNI; an address has none (RFC 6066 §3). The certificate is checked against `host` either way.
      { ...address, ...socketOptions, tls: true as const, ...(isIP(host) === 0 ? { servername: host } : {}) }
    : { ...address, ...socketOptions }
  return { ...protocol, ...sharedOptions(target), socket, database: Number(database) }
}

function clusterOptions(target: RedisTarget) {
  const { host, port } = target
  const socket = target.isTls ? { ...socketOptions, tls: true as const } : socketOptions
  return {
    ...protocol,
    rootNodes: [{ socket: { host, port } }],
    defaults: { ...sharedOptions(target), socket },
    maxCommandRedirections: 3,
    topologyRefreshOnReconnectionAttemptStrategy: 0,
  }
}

// Version 2 of the protocol: HELLO of version 3 adds a round trip, and there are proxies that do not know it.
const protocol = { RESP: 2 } as const

const socketOptions = { connectTimeout: connectTimeoutMs, reconnectStrategy: false } as const

function sharedOptions({ username, password }: RedisTarget) {
  const credentials = async () => ({
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: password.reveal() }),
  })
  return {
    disableOfflineQueue: true,
    commandsQueueMaxLength: commandCount,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    credentialsProvider: { type: 'async-credentials-provider', credentials },
  } as const
}
