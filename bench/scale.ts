import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { lineChart } from './chart.ts'
import { median, tableText } from './figures.ts'
import { fill } from './scale-fill.ts'
import {
  type Cost,
  type Credentials,
  countAddresses,
  credentialsOf,
  killNodes,
  measure,
  type ScaleNode,
  startNode,
} from './scale-node.ts'
import { type Dimension, dimensions, type Operation, operations } from './scale-words.ts'
import { rootDir } from './server-process.ts'

// What a request costs the server as its data grow: a server that grows beside one that stays as it was, asked in turn,
// so that what else the machine does weighs on both. The ratio of the two is what is told.
//   node --conditions=holdfast-source bench/scale.ts [dimension…] [--plots]

const roundCount = 4
const roundMs = 350
const warmUpMs = 800
const flatRatio = 1.2

const sizes: Readonly<Record<Dimension, readonly number[]>> = {
  accounts: [1_000, 10_000, 100_000, 1_000_000],
  sessions: [1_000, 10_000, 100_000, 1_000_000],
  'notes of one owner': [10_000, 100_000, 1_000_000],
  'notes of many': [10_000, 100_000, 1_000_000],
  'audit events': [1_000, 10_000, 100_000, 1_000_000],
  // The store of a node holds 250,000 keys of one limit, unless it is told otherwise; more push out the oldest.
  'limit keys': [1_000, 10_000, 100_000, 250_000],
}

interface OperationCost extends Cost {
  /** Against the server beside it that has not grown. */
  readonly ratio: number
}

interface Point {
  readonly dimension: Dimension
  readonly size: number
  readonly memoryBytes: number
  readonly costs: Readonly<Record<Operation, OperationCost>>
}

process.once('SIGTERM', () => {
  killNodes()
  process.exit(1)
})
const file = join(rootDir, 'bench/results/scale.json')
const known = readKnown()
for (const dimension of chosen()) {
  const points = await measureDimension(dimension)
  known.set(dimension, points)
  process.stdout.write(`${tableOf(points)}\n`)
  save()
}
plot()
process.exitCode = [...known.values()].flat().every(isFlat) ? 0 : 1

function chosen(): readonly Dimension[] {
  const names = process.argv.slice(2)
  if (names.includes('--plots')) return []
  return names.length === 0 ? dimensions : dimensions.filter((dimension) => names.includes(dimension))
}

async function measureDimension(dimension: Dimension): Promise<readonly Point[]> {
  const nodes: ScaleNode[] = []
  const startOne = async (): Promise<{ node: ScaleNode; credentials: Credentials }> => {
    const node = await startNode()
    nodes.push(node)
    return { node, credentials: await credentialsOf(node) }
  }
  try {
    const pair = [await startOne(), await startOne()] as const
    const first = { dimension: 'sessions', count: 0 } as const
    for (const { node, credentials: own } of pair)
      for (const operation of operations)
        await measure(node, own, operation, { size: first, durationMs: warmUpMs })
    const points: Point[] = []
    let count = dimension === 'accounts' ? 1_000 : 0
    for (const size of sizes[dimension]) {
      if (size > count) await grow(dimension, pair[0].node, count, size)
      count = size
      points.push({ dimension, size, ...(await measurePoint(dimension, size, pair)) })
    }
    return points
  } finally {
    for (const node of nodes) await node.stop()
  }
}

async function grow(
  dimension: Dimension,
  { address, file: database, ownerId }: ScaleNode,
  fromCount: number,
  toCount: number,
): Promise<void> {
  if (dimension === 'limit keys') await countAddresses(address, fromCount, toCount)
  else fill(dimension, { file: database, ownerId, fromCount, toCount })
}

type Pair = readonly [
  { readonly node: ScaleNode; readonly credentials: Credentials },
  { readonly node: ScaleNode; readonly credentials: Credentials },
]

async function measurePoint(
  dimension: Dimension,
  size: number,
  [grown, same]: Pair,
): Promise<Pick<Point, 'memoryBytes' | 'costs'>> {
  const entries: [Operation, OperationCost][] = []
  for (const operation of operations) {
    const costs: Cost[] = []
    const ratios: number[] = []
    for (let round = 0; round < roundCount; round += 1) {
      const cost = await measure(grown.node, grown.credentials, operation, {
        size: { dimension, count: size },
        durationMs: roundMs,
      })
      const beside = await measure(same.node, same.credentials, operation, {
        size: { dimension: 'sessions', count: 0 },
        durationMs: roundMs,
      })
      // The first round reads what the growth has pushed out of memory.
      if (round === 0) continue
      costs.push(cost)
      ratios.push(cost.microseconds / beside.microseconds)
    }
    entries.push([
      operation,
      {
        microseconds: median(costs.map(({ microseconds }) => microseconds)),
        perSecond: median(costs.map(({ perSecond }) => perSecond)),
        ratio: median(ratios),
      },
    ])
  }
  return { memoryBytes: grown.node.memoryBytes(), costs: recordOf(entries) }
}

function recordOf(entries: readonly (readonly [Operation, OperationCost])[]): Point['costs'] {
  const nothing = { microseconds: 0, perSecond: 0, ratio: 0 }
  const of = (wanted: Operation): OperationCost => entries.find(([name]) => name === wanted)?.[1] ?? nothing
  return {
    read: of('read'),
    list: of('list'),
    'second page': of('second page'),
    refresh: of('refresh'),
    'sign in': of('sign in'),
  }
}

function isFlat({ costs }: Point): boolean {
  return operations.every((operation) => costs[operation].ratio <= flatRatio)
}

function tableOf(points: readonly Point[]): string {
  return tableText([
    [points[0]?.dimension ?? '', 'memory', ...operations, ''],
    ...points.map((point) => [
      point.size.toLocaleString('en'),
      `${(point.memoryBytes / 2 ** 20).toFixed(0)} MiB`,
      ...operations.map((operation) => {
        const { microseconds, ratio, perSecond } = point.costs[operation]
        return `${microseconds.toFixed(0)} µs ×${ratio.toFixed(2)} (${perSecond.toFixed(0)}/s)`
      }),
      isFlat(point) ? 'flat' : 'NOT FLAT',
    ]),
  ])
}

function readKnown(): Map<Dimension, readonly Point[]> {
  if (!existsSync(file)) return new Map()
  const saved: { points: readonly Point[] } = JSON.parse(readFileSync(file, 'utf8'))
  return new Map(
    dimensions.flatMap((dimension) => {
      const points = saved.points.filter((point) => point.dimension === dimension)
      return points.length === 0 ? [] : [[dimension, points]]
    }),
  )
}

function save(): void {
  mkdirSync(join(rootDir, 'bench/results'), { recursive: true })
  const machine = { node: process.version, cpuCount: cpus().length, cpu: cpus()[0]?.model ?? 'unknown' }
  const points = dimensions.flatMap((dimension) => known.get(dimension) ?? [])
  writeFileSync(file, `${JSON.stringify({ machine, roundCount, roundMs, points }, null, 2)}\n`)
}

function plot(): void {
  const folder = join(rootDir, 'docs/images')
  mkdirSync(folder, { recursive: true })
  for (const [dimension, points] of known) {
    const chart = lineChart({
      title: `Cost of a request by ${dimension}`,
      across: dimension,
      up: 'times the cost beside it, at the smallest size',
      lines: operations.map((operation) => ({
        name: operation,
        points: points.map((point) => ({ x: point.size, y: point.costs[operation].ratio })),
      })),
    })
    writeFileSync(join(folder, `scale-${dimension.replaceAll(' ', '-')}.svg`), chart)
  }
}
