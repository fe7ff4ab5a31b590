import { join } from 'node:path'
import { assert } from '../src/base/index.ts'
import { median, tableText } from './figures.ts'
import { requestsPerSecond } from './load.ts'
import { rootDir, startServer } from './server-process.ts'

// What all of Holdfast costs on one authenticated read of one row, as a share of the same read on bare Fastify. Only the
// ratio says something: both run on the same machine, in turn, next to the client that loads them.

const roundCount = 4
const roundMs = 1_000
const warmUpMs = 800

const kinds = ['read-with-fastify.ts', 'read-with-holdfast.ts'] as const
const introduction = /^(http\S+\/api\/notes\/\S+) (\S+)$/m

const servers = await Promise.all(
  kinds.map(async (file) => {
    const args = ['--conditions=holdfast-source', join(rootDir, 'bench', file)]
    const server = await startServer(args, introduction)
    const [, url, token] = introduction.exec(server.said) ?? []
    assert(url !== undefined && token !== undefined, `${file} says what to read`)
    return {
      name: file.replace(/^read-with-|\.ts$/g, ''),
      url: new URL(url),
      token,
      stop: server.stop,
      rates: [] as number[],
    }
  }),
)
try {
  for (const { url, token } of servers) await requestsPerSecond(url, token, warmUpMs)
  for (let round = 0; round < roundCount; round++)
    for (const { url, token, rates } of servers) rates.push(await requestsPerSecond(url, token, roundMs))
} finally {
  for (const { stop } of servers) await stop()
}
const bare = median(servers[0]?.rates ?? [])
process.stdout.write(
  tableText([
    ['one read', 'a second', 'of bare Fastify'],
    ...servers.map(({ name, rates }) => {
      const rate = median(rates)
      return [name, rate.toFixed(0), `${((rate / bare) * 100).toFixed(0)} %`]
    }),
  ]),
)
