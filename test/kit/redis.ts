import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Secret } from '../../src/base/index.ts'

const run = promisify(execFile)

/** A Redis server that a test starts, and treats badly. It keeps nothing on disk, and goes with the process. */
export interface TestRedis {
  readonly port: number
  readonly url: Secret
  /** What `redis-cli` prints for a command; lines of its own for several values. */
  cli(...command: readonly string[]): Promise<string>
  /** Ends it at once, with everything it knew. */
  stop(): Promise<void>
  /** Starts it again on its port, empty. */
  start(): Promise<void>
  /** Stops its process without closing anything: connections stay, and nobody answers. */
  freeze(): void
  thaw(): void
}

const deadlineMs = 15_000

/** Starts a server on a free port of this machine. @param settings Further ones, as in its command line. */
export async function startRedis(...settings: readonly string[]): Promise<TestRedis> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-'))
  const where = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
  const quiet = ['--save', '', '--appendonly', 'no', '--loglevel', 'warning']
  let child: ChildProcess | undefined
  const cli = async (...command: readonly string[]): Promise<string> => {
    const { stdout } = await run('redis-cli', ['-h', '127.0.0.1', '-p', String(port), ...command], {
      timeout: deadlineMs,
    })
    return stdout.trim()
  }
  const redis: TestRedis = {
    port,
    url: new Secret(`redis://127.0.0.1:${port}`),
    cli,
    async start() {
      mkdirSync(folder, { recursive: true })
      const started = spawn('redis-server', [...where, ...quiet, ...settings], { stdio: 'ignore' })
      child = started
      guard(started)
      await until('redis-server answers', async () => (await cli('ping').catch(() => '')).length > 0)
    },
    async stop() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
  }
  await redis.start()
  return redis
}

/** Ends a server when this process is gone, however it went: then the pipe to the guard closes. */
function guard(server: ChildProcess): void {
  const watch = spawn('sh', ['-c', `cat; kill -9 ${server.pid}`], { stdio: ['pipe', 'ignore', 'ignore'] })
  watch.unref()
  server.once('exit', () => watch.kill('SIGKILL'))
}

/** Waits until something is so, and fails after fifteen seconds. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + deadlineMs
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new TypeError(`in vain: ${what}`)
    await delay(5)
  }
}

/** A port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a port has an address')
  server.close()
  await once(server, 'close')
  return address.port
}

/** A Redis Cluster of three servers, each with a third of the slots. */
export interface TestCluster {
  /** With `?cluster=true`, of one of the three. */
  readonly url: Secret
  readonly servers: readonly TestRedis[]
  stop(): Promise<void>
}

/** Starts a cluster on free ports of this machine. */
export async function startRedisCluster(): Promise<TestCluster> {
  const servers = await Promise.all(
    [0, 1, 2].map(async () =>
      startRedis('--cluster-enabled', 'yes', '--cluster-port', String(await freePort())),
    ),
  )
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`)
  await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { timeout: deadlineMs })
  await until('the cluster is whole', async () => {
    const states = await Promise.all(servers.map((server) => server.cli('cluster', 'info')))
    return states.every((state) => state.includes('cluster_state:ok'))
  })
  return {
    url: new Secret(`redis://${addresses[0]}?cluster=true`),
    servers,
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  }
}
