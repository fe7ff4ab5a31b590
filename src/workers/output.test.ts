import { expect, it } from 'vitest'
import { TestMemory } from '../../test/kit/shared-memory.ts'
import { workerOutput } from './output.ts'

class Refusal extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

it('V16.4.1 writes all of a batch, however little is taken at once', async () => {
  const taken: string[] = []
  let isBusy = false
  const put = (bytes: Uint8Array): number => {
    isBusy = !isBusy
    if (isBusy) throw new Refusal('EAGAIN')
    taken.push(Buffer.from(bytes.subarray(0, 7)).toString('latin1'))
    return Math.min(7, bytes.length)
  }
  const output = workerOutput(new TestMemory().thread(), put)
  output.write('{"a":1}\n')
  output.write('{"b":"äß"}\n')
  expect(taken).toEqual([])
  await turn()
  expect(Buffer.from(taken.join(''), 'latin1').toString()).toBe('{"a":1}\n{"b":"äß"}\n')
})

it('V16.4.1 writes an error at once', () => {
  const taken: number[] = []
  const output = workerOutput(new TestMemory().thread(), (bytes) => taken.push(bytes.length) && bytes.length)
  output.lastLevel = 50
  output.write('{"level":"error"}\n')
  expect(taken).toEqual([18])
})

it('V16.5.3 goes on when nobody reads any more, and holds up no other worker', async () => {
  const memory = new TestMemory()
  const [one, other] = [memory.thread(0), memory.thread(1)]
  const deaf = workerOutput(one, () => {
    throw new Refusal('EPIPE')
  })
  deaf.write('lost\n')
  await turn()
  deaf.write('lost\n')
  await turn()
  const full = workerOutput(one, () => {
    throw new Refusal('ENOSPC')
  })
  full.lastLevel = 50
  expect(() => full.write('lost\n')).toThrow('ENOSPC')
  const taken: number[] = []
  const heard = workerOutput(other, (bytes) => taken.push(bytes.length) && bytes.length)
  heard.write('kept\n')
  await turn()
  expect(taken).toEqual([5])
})
