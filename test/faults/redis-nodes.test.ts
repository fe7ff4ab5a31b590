import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memberOf } from '../kit/client.ts'
import { startRedis, type TestRedis } from '../kit/redis.ts'

const fixture = fileURLToPath(new URL('../fixtures/limits/serve.ts', import.meta.url))
const limitCount = 600
const nodeCount = 4
const children: ChildProcess[] = []
let redis: TestRedis
let ports: number[]

beforeAll(async () => {
  redis = await startRedis()
  ports = await Promise.all(Array.from({ length: nodeCount }, startNode))
}, 60_000)
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await redis.stop()
})

async function startNode(): Promise<number> {
  const values = [redis.url.reveal(), String(limitCount), String(nodeCount)]
  const child = spawn(process.execPath, [fixture, ...values], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  if (child.stdout === null) throw new TypeError('the output is piped')
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return Number(memberOf(JSON.parse(String(line)), 'port'))
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

/** The status of one request, and whether Redis decided. */
async function ask(port: number, address: string): Promise<string> {
  const sent = request({ host: '127.0.0.1', port, agent, headers: { 'x-address': address } }).end()
  const [response] = await once(sent, 'response')
  response.resume()
  await once(response, 'end')
  return `${response.statusCode} ${response.headers['x-shared']}`
}

describe('four processes and one Redis', () => {
  it('V2.4.1 V15.4.2 admit exactly one limit of ten that are sent over all of them', async () => {
    const answers = await Promise.all(
      Array.from({ length: limitCount * 10 }, (_, index) => ask(ports[index % nodeCount] ?? 0, 'a')),
    )
    const counts = Object.groupBy(answers, (answer) => answer)
    const admitted = counts['200 true']?.length ?? 0
    process.stdout.write(
      `limits over ${nodeCount} processes: ${admitted} of ${answers.length} admitted, the limit is ${limitCount}\n`,
    )
    // One comes back each 144 seconds.
    expect(admitted).toBeGreaterThanOrEqual(limitCount)
    expect(admitted).toBeLessThanOrEqual(limitCount + 1)
    expect(admitted + (counts['429 true']?.length ?? 0)).toBe(limitCount * 10)
  }, 60_000)
})
