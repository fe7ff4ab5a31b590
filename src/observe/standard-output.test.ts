import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { memberOf } from '../../test/kit/client.ts'

const fixture = fileURLToPath(new URL('../../test/fixtures/log/write.ts', import.meta.url))

function started(way: string, lineCount: number): ChildProcess {
  return spawn(process.execPath, [fixture, way, String(lineCount)], { stdio: ['pipe', 'pipe', 'pipe'] })
}

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Reads what a process writes to its end. */
async function read(child: ChildProcess): Promise<Ended> {
  const heard = { out: '', err: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    heard.out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    heard.err += text
  })
  const [code]: unknown[] = await once(child, 'close')
  return { code: typeof code === 'number' ? code : null, ...heard }
}

/** The numbers of the lines; each line has to be whole. */
function numbersIn(out: string): readonly unknown[] {
  const lines = out.split('\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => memberOf(JSON.parse(line), 'index'))
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}

describe.concurrent('V16.4.3 standard output', () => {
  it('has the lines of every turn whole and in order, whichever way they were written', async ({
    expect,
  }) => {
    const { code, out } = await read(started('turns', 1_000))
    expect(numbersIn(out)).toEqual(upTo(1_000))
    expect(code).toBe(0)
  })

  it('has the lines of a turn while the process goes on', async ({ expect }) => {
    const child = started('waiting', 10)
    const { stdout } = child
    if (stdout === null) throw new TypeError('the output is piped')
    // It waits for its input to end, and that ends once the lines are there.
    const [first]: unknown[] = await once(stdout, 'data')
    expect(numbersIn(String(first))).toEqual(upTo(10))
    child.stdin?.end()
    const [code]: unknown[] = await once(child, 'exit')
    expect(code).toBe(0)
  })

  it('has a hundred thousand lines', async ({ expect }) => {
    const { out } = await read(started('turns', 100_000))
    expect(numbersIn(out)).toEqual(upTo(100_000))
  })

  it('has an error, and what came before it, at once: also when the process is killed then', async ({
    expect,
  }) => {
    const { code, out } = await read(started('error', 10))
    expect(numbersIn(out)).toEqual(upTo(11))
    expect(code).toBeNull()
  })

  it('keeps no more than a batch back, whatever one turn writes', async ({ expect }) => {
    const { out } = await read(started('burst', 20_000))
    // About eighty characters a line; 65,536 may be lost when the process is killed.
    const numbers = numbersIn(out)
    expect(numbers).toEqual(upTo(numbers.length))
    expect(numbers.length).toBeGreaterThan(20_000 - 65_536 / 70)
  })

  it.for([
    ['thrown', 1],
    ['rejected', 1],
    ['exit', 3],
    ['while exiting', 0],
  ] as const)('has everything when the process ends by itself: %s', async ([way, expected], { expect }) => {
    const { code, out, err } = await read(started(way, 10))
    expect(numbersIn(out)).toEqual(upTo(10))
    expect(code).toBe(expected)
    expect(err.includes('nobody has caught this')).toBe(expected === 1)
  })

  it('loses nothing to a reader that is slower than the writer', async ({ expect }) => {
    const child = started('not waiting', 20_000)
    const { stdout } = child
    // Each piece is left for some turns, so that the pipe is full all the time.
    const slowly = setInterval(() => stdout?.resume(), 2)
    stdout?.on('data', () => void stdout.pause())
    const { code, out } = await read(child)
    clearInterval(slowly)
    expect(numbersIn(out)).toEqual(upTo(20_000))
    expect(code).toBe(0)
  })

  it('does not end the process when nobody reads it any more', async ({ expect }) => {
    const child = started('unread', 20_000)
    const { stdout } = child
    stdout?.once('data', () => stdout.destroy())
    const { code, err } = await read(child)
    expect([code, err]).toEqual([0, 'still here'])
  })
})
