import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { testIdentity } from 'holdfast'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import app from '../../examples/notes/app.ts'
import { engineKinds } from '../kit/databases.ts'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'
import { freshPostgres } from '../kit/postgres.ts'
import { type TcpProxy, tcpProxy } from '../kit/tcp-proxy.ts'

const roundCount = 6
const deadlineMs = 5_000

/** Waits until a node answers an address with a status. @returns how long that took, in milliseconds */
async function until(node: NotesServer, address: string, status: number): Promise<number> {
  const startMs = performance.now()
  for (;;) {
    const { status: found } = await node.ask('GET', '/nowhere', { headers: { 'x-forwarded-for': address } })
    const tookMs = performance.now() - startMs
    if (found === status) return tookMs
    expect(tookMs, `no ${status} for ${address}`).toBeLessThan(deadlineMs)
    await delay(10)
  }
}

function report(engine: string, what: string, tookMs: readonly number[]): void {
  const sorted = [...tookMs].sort((a, b) => a - b)
  const [median = 0, worst = 0] = [sorted[sorted.length >> 1], sorted.at(-1)]
  process.stdout.write(
    `bans on ${engine}: ${what} on the other node after ${median.toFixed(0)} ms (median), ${worst.toFixed(0)} ms (worst of ${sorted.length})\n`,
  )
}

describe.each(engineKinds)('two nodes on one %s database', (engine) => {
  let folder: string
  let proxy: TcpProxy | undefined
  let drop: () => Promise<void> = async () => undefined
  let environment: Record<string, string>
  let here: NotesServer
  let there: NotesServer
  const start = (more: Readonly<Record<string, string>> = {}) =>
    startNotes(app, 'sqlite', testIdentity, { ...environment, ...more })

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-ban-nodes-'))
    environment = {
      HOLDFAST_DATA_DIR: folder,
      HOLDFAST_SECRET: randomBytes(32).toString('base64'),
      TRUSTED_PROXIES: '127.0.0.1',
    }
    let behindProxy: Record<string, string> = {}
    if (engine === 'postgres') {
      const postgres = await freshPostgres()
      drop = () => postgres.drop()
      environment['DATABASE_URL'] = postgres.url
      const url = new URL(postgres.url)
      proxy = await tcpProxy(Number(url.port || 5432))
      url.port = String(proxy.port)
      behindProxy = { DATABASE_URL: url.href }
    }
    here = await start()
    there = await start(behindProxy)
  }, 60_000)
  afterAll(async () => {
    await here.stop()
    await there.stop()
    await proxy?.close()
    await drop()
    await rm(folder, { recursive: true, force: true })
  })

  it('V2.4.1 who is banned on one is refused on the other within a second, and free again as soon', async () => {
    const bannedMs: number[] = []
    const liftedMs: number[] = []
    for (let round = 0; round < roundCount; round += 1) {
      const address = `203.0.113.${round}`
      expect(await until(there, address, 404)).toBeLessThan(1_000)
      await here.server.bans.ban({ address, reason: 'x', forMs: 3_600_000 })
      bannedMs.push(await until(there, address, 429))
      await here.server.bans.lift({ address })
      liftedMs.push(await until(there, address, 404))
    }
    report(engine, 'refused', bannedMs)
    report(engine, 'free again', liftedMs)
    expect(Math.max(...bannedMs, ...liftedMs)).toBeLessThan(1_000)
  }, 60_000)

  it('V15.4.2 both banning one target make one ban', async () => {
    const order = { address: '198.51.100.1', reason: 'x', forMs: 3_600_000 }
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? here : there).server.bans.ban(order)),
    )
    expect(new Set(made.map(({ id }) => id)).size).toBe(1)
    const { items } = await there.server.bans.list()
    expect(items.filter(({ target }) => target === '198.51.100.1')).toHaveLength(1)
  })

  it('V2.4.1 a ban is in force from the first request of a node that starts', async () => {
    await here.server.bans.ban({ address: '198.51.100.2', reason: 'x' })
    const restarted = await start()
    expect(await until(restarted, '198.51.100.2', 429)).toBeLessThan(1_000)
    const first = await restarted.ask('GET', '/', { headers: { 'x-forwarded-for': '198.51.100.2' } })
    expect(first.status).toBe(429)
    await restarted.stop()
  })

  if (engine === 'postgres')
    it('V16.5.2 V16.5.3 a node without its database keeps the bans it knows, and catches up afterwards', async () => {
      await here.server.bans.ban({ address: '198.51.100.3', reason: 'x' })
      await until(there, '198.51.100.3', 429)
      await proxy?.cut()
      const says = 'reading the bans has failed'
      await expect.poll(() => there.lines.some((line) => line.includes(says)), { timeout: 10_000 }).toBe(true)
      await here.server.bans.ban({ address: '198.51.100.4', reason: 'x' })
      for (let count = 0; count < 10; count += 1) {
        expect(await until(there, '198.51.100.3', 429)).toBeLessThan(1_000)
        expect(await until(there, '198.51.100.4', 404)).toBeLessThan(1_000)
      }
      // Said once, not four times a second.
      expect(there.lines.filter((line) => line.includes(says))).toHaveLength(1)
      await expect(there.server.bans.ban({ address: '198.51.100.5', reason: 'x' })).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      })
      await here.server.bans.lift({ address: '198.51.100.3' })
      await proxy?.restore()
      await until(there, '198.51.100.4', 429)
      await until(there, '198.51.100.3', 404)
    }, 60_000)
})
