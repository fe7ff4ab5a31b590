import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { MemoryOwner } from './memory.ts'
import type { FromThread, ThreadStart } from './messages.ts'

const entry = new URL('../../test/kit/limit-thread.ts', import.meta.url)

interface Thread {
  readonly worker: Worker
  readonly holder: number
  readonly begins: Promise<void>
  /** How often it was let through for each key. */
  readonly allowed: Promise<readonly number[]>
}

function started(owner: MemoryOwner, seat: number, roundCount: number, go?: Promise<unknown>): Thread {
  const memory = owner.admit()
  const data: ThreadStart = { seat, seatCount: 4, isFirst: seat === 0, port: null, memory, data: roundCount }
  const worker = new Worker(entry, {
    workerData: data,
    transferList: [memory.port],
    execArgv: ['--conditions=holdfast-source'],
  })
  const begins = Promise.withResolvers<void>()
  const allowed = Promise.withResolvers<readonly number[]>()
  worker.on('message', (message: FromThread) => {
    if (message.kind !== 'ask') return
    const told = { kind: 'told', id: message.id, value: undefined, error: undefined }
    if (message.topic === 'begins') {
      begins.resolve()
      void Promise.resolve(go).then(() => worker.postMessage(told))
      return
    }
    worker.postMessage(told)
    allowed.resolve(Array.isArray(message.value) ? message.value.map(Number) : [])
  })
  worker.on('error', allowed.reject)
  return { worker, holder: memory.holder, begins: begins.promise, allowed: allowed.promise }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

it('V2.4.1 V15.4.1 three threads at once admit exactly the limit', async () => {
  const owner = new MemoryOwner()
  const go = Promise.withResolvers<void>()
  const threads = [0, 1, 2].map((seat) => started(owner, seat, 60_000, go.promise))
  await Promise.all(threads.map(({ begins }) => begins))
  go.resolve()
  const allowed = await Promise.all(threads.map((thread) => thread.allowed))
  expect(sum(allowed.map(sum))).toBe(100_000)
  const byKey = [0, 1, 2, 3].map((place) => sum(allowed.map((one) => one[place] ?? 0)))
  expect(Math.max(...byKey)).toBeLessThanOrEqual(30_000)
})

it('V16.5.3 threads that are killed at any moment keep nobody waiting, and free nothing', async () => {
  const owner = new MemoryOwner()
  const survivor = started(owner, 0, 400_000)
  for (let round = 0; round < 12; round++) {
    const thread = started(owner, 1, Number.MAX_SAFE_INTEGER)
    await thread.begins
    await thread.worker.terminate()
    owner.dismiss(thread.holder)
  }
  expect(sum(await survivor.allowed)).toBeLessThanOrEqual(100_000)
  const late = await started(owner, 2, 120_000).allowed
  expect(sum(late)).toBe(0)
})
