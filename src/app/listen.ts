import { createServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { type Settings, SettingsFault } from '../settings/index.ts'
import type { WorkerSeat } from '../workers/index.ts'

/**
 * Listens where the settings say. Workers listen on one port, each with a socket of its own, and the kernel hands each
 * connection to one of them (SO_REUSEPORT).
 */
export async function listenOn(
  fastify: FastifyInstance,
  { host, port }: Pick<Settings, 'host' | 'port'>,
  worker: WorkerSeat | undefined,
): Promise<void> {
  if (worker === undefined) {
    await fastify.listen({ host, port })
    return
  }
  // Two servers of one user that both share their port would each get some of the connections, and nobody would know.
  if (worker.isFirst) await requireFree(host, port)
  const shared = { host, port: worker.port ?? port, reusePort: true }
  await fastify.listen(shared)
}

async function requireFree(host: string, port: number): Promise<void> {
  const probe = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  probe.once('error', reject)
  probe.listen({ host, port }, resolve)
  await promise
  const closed = Promise.withResolvers<void>()
  probe.close(() => closed.resolve())
  await closed.promise
}

const listeningFaults: Readonly<
  Record<string, { readonly env: string; readonly problem: string; readonly fix: string }>
> = {
  EADDRINUSE: {
    env: 'PORT',
    problem: 'is used by another process',
    fix: 'stop that process, or set another PORT',
  },
  EACCES: { env: 'PORT', problem: 'may not be opened by this user', fix: 'set a PORT above 1023' },
  EADDRNOTAVAIL: { env: 'HOST', problem: 'is no address of this machine', fix: 'set HOST to one that is' },
  ENOTSUP: {
    env: '--workers',
    problem: 'needs a system on which several sockets can listen on one port, and this one cannot',
    fix: 'use Linux or FreeBSD, or run several processes with REDIS_URL behind a proxy',
  },
  ENOTFOUND: {
    env: 'HOST',
    problem: 'is a name that nobody knows',
    fix: 'set HOST to an address of this machine',
  },
}

/** What of a failure to listen is a matter of settings. */
export function listeningFault(error: unknown): SettingsFault | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const fault = Object.hasOwn(listeningFaults, code) ? listeningFaults[code] : undefined
  return fault === undefined ? undefined : new SettingsFault([fault])
}
