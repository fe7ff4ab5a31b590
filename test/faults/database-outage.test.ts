import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger, type Server, testIdentity, testToken } from 'holdfast'
import { afterAll, beforeAll, expect, it } from 'vitest'
import app from '../../examples/notes/app.ts'
import { askWith } from '../kit/client.ts'
import { type FreshPostgres, freshPostgres } from '../kit/postgres.ts'
import { type TcpProxy, tcpProxy } from '../kit/tcp-proxy.ts'

let postgres: FreshPostgres
let proxy: TcpProxy
let server: Server
let folder: string
let ask: ReturnType<typeof askWith>

beforeAll(async () => {
  postgres = await freshPostgres()
  const url = new URL(postgres.url)
  proxy = await tcpProxy(Number(url.port || 5432))
  url.port = String(proxy.port)
  folder = await mkdtemp(join(tmpdir(), 'holdfast-outage-'))
  server = await app.boot({
    identity: testIdentity,
    environment: { NODE_ENV: 'test', PORT: '0', HOLDFAST_DATA_DIR: folder, DATABASE_URL: url.href },
    logger: createLogger({ level: 'silent' }),
  })
  const address = await server.listen()
  ask = askWith(address, {
    authorization: `Bearer ${testToken(server.settings, { name: 'ann', roles: [] })}`,
  })
})
afterAll(async () => {
  await server.stop()
  await proxy.close()
  await postgres.drop()
  await rm(folder, { recursive: true })
})

const ready = async () => (await ask('GET', '/health/ready')).status

it('V16.5.2 V13.2.6 an outage of the database gives 503 at once, readiness off, and ends by itself', async () => {
  const made = await ask('POST', '/api/notes', { body: { title: 'before', body: '' } })
  expect(made.status).toBe(201)
  expect(await ready()).toBe(200)
  await proxy.cut()
  const started = performance.now()
  const during = await Promise.all(
    Array.from({ length: 20 }, () => ask('GET', `/api/notes/${made.text('id')}`)),
  )
  // A request that waited for the connection timeout would take five seconds.
  expect(performance.now() - started).toBeLessThan(2_500)
  expect(during.map(({ status }) => status)).toEqual(during.map(() => 503))
  for (const answer of during) {
    expect(Number(answer.header('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(answer.text('type')).toBe('urn:holdfast:problem:unavailable')
    expect(answer.content).not.toMatch(/127\.0\.0\.1|ECONN|postgres/i)
  }
  await expect.poll(ready).toBe(503)
  expect((await ask('GET', '/health/live')).status).toBe(200)
  await proxy.restore()
  await expect.poll(ready, { timeout: 10_000 }).toBe(200)
  await expect
    .poll(async () => (await ask('GET', `/api/notes/${made.text('id')}`)).status, { timeout: 10_000 })
    .toBe(200)
  expect((await ask('POST', '/api/notes', { body: { title: 'after', body: '' } })).status).toBe(201)
})
