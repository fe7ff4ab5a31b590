import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { assert } from '../src/base/index.ts'
import { median, tableText } from './figures.ts'
import { rootDir, type ServerProcess, startServer } from './server-process.ts'
import { type WriteFigures, type WriteKind, type WriteTarget, writeLoad } from './write-load.ts'

// Making and changing a note over HTTP, on Holdfast with everything on, and on a bare Fastify that runs the same
// statements by hand. Each write is on the disk before it is answered. --quick takes less time. --postgres measures the
// server at HOLDFAST_BENCH_POSTGRES (a URL; databases are made anew on it) instead of SQLite, and --policies lets the one
// by hand work behind the same row policies: without them it has one wall where Holdfast has two.

const isQuick = process.argv.includes('--quick')
const isPostgres = process.argv.includes('--postgres')
const hasPolicies = process.argv.includes('--policies')
const database = isPostgres ? `postgres${hasPolicies ? '-policies' : ''}` : 'sqlite'
const roundCount = isQuick ? 3 : 5
const roundMs = isQuick ? 700 : 2_000
const connectionCounts = [1, 16, 64]
const target = 0.85

const introduction = /^ready (\S+) (\d+) (\S+) (\S+)$/m

interface Contestant {
  readonly server: ServerProcess
  readonly target: WriteTarget
}

async function start(file: string, url: string | undefined, ...flags: string[]): Promise<Contestant> {
  const args = [
    '--conditions=holdfast-source',
    join(rootDir, 'bench', file),
    ...(url === undefined ? [] : [url, ...flags]),
  ]
  const server = await startServer(args, introduction)
  const [, address, pid, token, ids] = introduction.exec(server.said) ?? []
  assert(address !== undefined && token !== undefined && ids !== undefined, 'a server says what to write')
  return { server, target: { address, token, pid: Number(pid), noteIds: ids.split(',') } }
}

/** An empty database of its own for each, so that neither sees the tables of the other. */
async function emptyDatabase(name: string): Promise<string | undefined> {
  if (!isPostgres) return undefined
  const url = process.env['HOLDFAST_BENCH_POSTGRES']
  assert(url !== undefined, 'HOLDFAST_BENCH_POSTGRES names a server')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`drop database if exists ${name} with (force)`)
  await client.query(`create database ${name}`)
  await client.end()
  const own = new URL(url)
  own.pathname = `/${name}`
  return own.href
}

function middle(all: readonly WriteFigures[]): WriteFigures {
  const of = (pick: (figures: WriteFigures) => number): number => median(all.map(pick))
  return {
    perSecond: of(({ perSecond }) => perSecond),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    serverMicrosecondsEach: of(({ serverMicrosecondsEach }) => serverMicrosecondsEach),
  }
}

const holdfast = await start('write-with-holdfast.ts', await emptyDatabase('holdfast_bench_writes'))
const byHand = await start(
  'write-with-fastify.ts',
  await emptyDatabase('holdfast_bench_writes_by_hand'),
  ...(hasPolicies ? ['policies'] : []),
)
const kinds: readonly WriteKind[] = ['create', 'update']
const results: object[] = []
const rows = [['', 'connections', 'Holdfast', 'p99', 'CPU', 'by hand', 'p99', 'CPU', 'ratio']]
try {
  for (const { target: warm } of [holdfast, byHand])
    for (const kind of kinds) await writeLoad(warm, kind, 16, roundMs)
  for (const kind of kinds) {
    for (const connectionCount of connectionCounts) {
      const ours: WriteFigures[] = []
      const theirs: WriteFigures[] = []
      // Interleaved, so that whatever else the machine does meets both.
      for (let round = 0; round < roundCount; round += 1) {
        ours.push(await writeLoad(holdfast.target, kind, connectionCount, roundMs))
        theirs.push(await writeLoad(byHand.target, kind, connectionCount, roundMs))
      }
      const [here, there] = [middle(ours), middle(theirs)]
      const ratio = median(ours.map(({ perSecond }, round) => perSecond / (theirs[round]?.perSecond ?? 0)))
      const cells = ({ perSecond, p99Ms, serverMicrosecondsEach }: WriteFigures): readonly string[] => [
        `${perSecond.toFixed(0)}/s`,
        `${p99Ms.toFixed(2)} ms`,
        `${serverMicrosecondsEach.toFixed(0)} µs`,
      ]
      rows.push([kind, String(connectionCount), ...cells(here), ...cells(there), ratio.toFixed(2)])
      results.push({ kind, connectionCount, holdfast: here, byHand: there, ratio })
    }
  }
  process.stdout.write(`${tableText(rows)}\n${database}; the target is at least ${target}\n`)
  const folder = join(rootDir, 'bench/results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, `writes-${database}.json`),
    `${JSON.stringify({ database, results }, null, 2)}\n`,
  )
} finally {
  await holdfast.server.stop()
  await byHand.server.stop()
}
