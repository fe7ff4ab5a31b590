import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memberOf } from '../kit/client.ts'
import { type Reply, startWorkers, threadOf, type WorkerServer } from '../kit/worker-server.ts'

function many<T>(count: number, make: (index: number) => Promise<T>): Promise<readonly T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)))
}

function countOf(replies: readonly Reply[], status: number): number {
  return replies.filter((reply) => reply.status === status).length
}

describe.each([2, 4])('%i workers on one port', (workerCount) => {
  let server: WorkerServer
  beforeAll(async () => {
    server = await startWorkers(workerCount)
  }, 60_000)
  afterAll(async () => {
    const { code, out } = await server.stop()
    expect(code).toBe(0)
    // V16.4.1: no line is torn apart by another worker's, and each says whose it is.
    const lines = out.split('\n').filter((line) => line.includes('"level"'))
    for (const line of lines) expect(memberOf(JSON.parse(line), 'worker')).toBeGreaterThan(0)
    expect(lines.length).toBeGreaterThan(500)
  })

  it('V15.4.2 all of them answer, and they are ready when all listen', async () => {
    expect((await server.threads()).size).toBe(workerCount)
    const { status, json } = await server.ask('GET', '/health/ready')
    expect(status).toBe(200)
    expect(json).toMatchObject({ checks: { workers: 'ok', database: 'ok' } })
  })

  it('V2.4.1 V15.4.1 admit exactly the limit of an address, all together', async () => {
    const replies = await many(200, () => server.ask('GET', '/few', { from: '198.51.100.1' }))
    expect([countOf(replies, 200), countOf(replies, 429)]).toEqual([50, 150])
    expect(new Set(replies.filter(({ status }) => status === 200).map(threadOf)).size).toBe(workerCount)
    expect((await server.ask('GET', '/few', { from: '198.51.100.2' })).status).toBe(200)
  })

  it('V2.4.1 V15.4.1 admit exactly the limit of an account, from whichever addresses', async () => {
    const token = await server.logIn('ann')
    const replies = await many(120, (index) =>
      server.ask('GET', '/mine', { from: `203.0.113.${index}`, token }),
    )
    expect([countOf(replies, 200), countOf(replies, 429)]).toEqual([30, 90])
  })

  it('V2.4.1 V15.4.1 let no more be under way at once than one would', async () => {
    const replies = await many(16, () => server.ask('GET', '/pair', { from: '198.51.100.30' }))
    expect([countOf(replies, 200), countOf(replies, 429)]).toEqual([2, 14])
    expect((await server.ask('GET', '/pair', { from: '198.51.100.30' })).status).toBe(200)
  })

  it('V7.4.1 a log-out holds for all workers once it is answered', async () => {
    for (let round = 0; round < 10; round++) {
      const token = await server.logIn('ben')
      const before = await many(12, () => server.ask('GET', '/api/auth/sessions', { token }))
      expect(countOf(before, 200)).toBe(12)
      expect((await server.ask('POST', '/api/auth/logout', { token })).status).toBe(204)
      const after = await many(12, () => server.ask('GET', '/api/auth/sessions', { token }))
      expect(countOf(after, 401)).toBe(12)
    }
  })

  it('V2.4.1 a ban holds for all workers once it is answered, and so does its end', async () => {
    const token = await server.logIn('root')
    for (let round = 0; round < 10; round++) {
      const target = `198.51.100.${100 + round}`
      expect(countOf(await many(12, () => server.ask('GET', '/thread', { from: target })), 200)).toBe(12)
      const body = { kind: 'address', target, reason: 'a test', forSeconds: 600 }
      const made = await server.ask('POST', '/api/admin/bans', { token, body })
      expect(made.status).toBe(201)
      expect(countOf(await many(12, () => server.ask('GET', '/thread', { from: target })), 429)).toBe(12)
      const path = `/api/admin/bans/${String(memberOf(made.json, 'id'))}/lift`
      expect((await server.ask('POST', path, { token, body: { reason: 'over' } })).status).toBe(200)
      expect(countOf(await many(12, () => server.ask('GET', '/thread', { from: target })), 200)).toBe(12)
    }
  })

  it('V15.4.2 V16.5.3 write to one SQLite file, and no write is refused or lost', async () => {
    const token = await server.logIn('ben')
    const written = await many(200, (index) =>
      server.ask('POST', '/api/notes', { token, body: { title: `note ${index}`, body: 'x' } }),
    )
    expect(countOf(written, 200) + countOf(written, 201)).toBe(200)
    const ids = new Set(written.map(({ json }) => String(memberOf(json, 'id'))))
    expect(ids.size).toBe(200)
    const read = await many(200, (index) => server.ask('GET', `/api/notes/${[...ids][index]}`, { token }))
    expect(countOf(read, 200)).toBe(200)
  })

  it('V16.3.4 one scrape tells of all of them', async () => {
    const token = await server.logIn('root')
    const seen = async (): Promise<number> => {
      const { status, text } = await server.ask('GET', '/metrics', { token })
      expect(status).toBe(200)
      return Number(
        /holdfast_http_requests_total\{method="GET",route="\/thread",status="200"\} ([0-9]+)/.exec(text)?.[1],
      )
    }
    const before = await seen()
    await many(60, () => server.ask('GET', '/thread'))
    for (let round = 0; round < 6; round++) expect(await seen()).toBe(before + 60)
    const security = await server.ask('GET', '/metrics/security', { token })
    expect(memberOf(memberOf(security.json, 'sinceStart'), 'totalRequests')).toBeGreaterThan(before + 60)
  })

  it('V15.4.2 V16.3.3 detectors count for all of them, and one tells of an attack', async () => {
    const token = await server.logIn('root')
    const address = '203.0.113.200'
    const found = async (): Promise<number> => {
      const { text } = await server.ask('GET', '/metrics', { token })
      return Number(/holdfast_findings_total\{detector="forced-browsing"\} ([0-9]+)/.exec(text)?.[1])
    }
    expect(await found()).toBe(0)
    await many(44, (index) => server.ask('GET', `/nothing/${index}`, { from: address }))
    await expect.poll(found, { timeout: 5_000 }).toBe(1)
  })
})
