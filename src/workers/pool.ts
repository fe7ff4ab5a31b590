import { Worker } from 'node:worker_threads'
import { assert } from '../base/index.ts'
import { Gathering } from './gathering.ts'
import { MemoryOwner } from './memory.ts'
import type { FromThread, ThreadStart, ToThread } from './messages.ts'

/** Answers what workers ask. */
interface Answers {
  // Written as a method, so that it may be more exact about what it is asked: both ends are the same code.
  answer(topic: string, value: unknown): unknown
}

/** How a group of workers runs. */
export interface PoolOptions {
  /** The module that each worker runs; it calls `takeSeat`. */
  readonly entry: URL
  readonly workerCount: number
  /** Handed to each worker. */
  readonly data: unknown
  /** Answers what workers ask. */
  readonly answer: Answers['answer']
  /** Writes a text for whoever sits at the terminal, such as why no worker can start. */
  readonly print: (text: string) => void
}

/** Workers that run. */
export interface Pool {
  /** Stops all of them in good order; {@link ended} resolves when they are gone. */
  stop(): void
  /** Resolves when all are listening; with the exit code when they could not. */
  readonly started: Promise<'listening' | number>
  /** The exit code: 0 after {@link stop} when all went well. */
  readonly ended: Promise<number>
}

interface Member {
  readonly seat: number
  readonly holder: number
  readonly thread: Worker
  readonly startedAtMs: number
  isListening: boolean
  /** What it has answered last to whoever collects, by topic. */
  readonly kept: Map<string, unknown>
}

const crashWindowMs = 60_000
const crashMaxCount = 5
const firstPauseMs = 100
const leftMaxCount = 100
const failedCode = 1

/**
 * Runs workers: the first alone until it listens, since it migrates the database, then the others. One that ends
 * without having been told to is replaced; after five of them within a minute, all are stopped.
 */
export function startPool(options: PoolOptions): Pool {
  const pool = new WorkerPool(options)
  pool.add(0, true)
  return { stop: () => pool.stop(0), started: pool.started.promise, ended: pool.ended.promise }
}

class WorkerPool {
  readonly started = Promise.withResolvers<'listening' | number>()
  readonly ended = Promise.withResolvers<number>()
  readonly #options: PoolOptions
  readonly #memory = new MemoryOwner()
  readonly #members = new Set<Member>()
  readonly #gathering = new Gathering()
  readonly #pauses = new Set<NodeJS.Timeout>()
  /** What those had answered that have ended, by topic. */
  readonly #left = new Map<string, unknown[]>()
  #crashedAtMs: number[] = []
  #port: number | null = null
  #isWhole = false
  #exitCode: number | undefined

  constructor(options: PoolOptions) {
    this.#options = options
  }

  add(seat: number, isFirst: boolean): void {
    const { entry, workerCount, data } = this.#options
    const memory = this.#memory.admit()
    const workerData: ThreadStart = { seat, seatCount: workerCount, isFirst, port: this.#port, memory, data }
    const thread = new Worker(entry, { workerData, transferList: [memory.port], name: `worker ${seat + 1}` })
    const startedAtMs = performance.now()
    const member: Member = {
      seat,
      holder: memory.holder,
      thread,
      startedAtMs,
      isListening: false,
      kept: new Map(),
    }
    this.#members.add(member)
    thread.on('message', (message: FromThread) => this.#take(member, message))
    // What it died of. An exit follows, and that is what is acted on.
    thread.on('error', (error) => this.#options.print(`worker ${seat + 1}: ${textOf(error)}\n`))
    thread.on('exit', (code) => this.#hasEnded(member, code))
  }

  /** Stops all; the process is to exit with this code, or with 1 when a worker did not stop well. */
  stop(exitCode: number): void {
    if (this.#exitCode !== undefined) return
    this.#exitCode = exitCode
    for (const pause of this.#pauses) clearTimeout(pause)
    for (const member of this.#members) {
      if (member.isListening) tell(member, { kind: 'stop' })
      // One that is only starting has nobody to answer, and hears nothing before it is done.
      else void member.thread.terminate()
    }
    this.#endIfEmpty()
  }

  #take(member: Member, message: FromThread): void {
    if (message.kind === 'listening') this.#listens(member, message.port)
    else if (message.kind === 'gather') this.#gather(member, message)
    else if (message.kind === 'collect') this.#collect(member, message)
    else if (message.kind === 'answer') this.#gathering.answer(message.id, member, message.value)
    else if (message.kind === 'ask') void this.#answer(member, message)
    else {
      this.#options.print(message.report)
      // One that takes the place of another tries again. At the start whoever configures the server has to know.
      if (!this.#isWhole) this.stop(message.exitCode)
    }
  }

  #gather(member: Member, { id, topic, value, withinMs }: Extract<FromThread, { kind: 'gather' }>): void {
    const others = [...this.#members].filter((other) => other !== member && other.isListening)
    const asked = others.map((other) => ({
      of: other,
      ask: (asking: number) => tell(other, { kind: 'asked', id: asking, topic, value }),
    }))
    this.#gathering.start(asked, withinMs, (values) =>
      tell(member, { kind: 'gathered', id, values, left: [] }),
    )
  }

  #collect(member: Member, { id, topic, withinMs }: Extract<FromThread, { kind: 'collect' }>): void {
    const all = [...this.#members].filter(({ isListening }) => isListening)
    const asked = all.map((one) => ({
      of: one,
      ask: (asking: number) => tell(one, { kind: 'asked', id: asking, topic, value: undefined }),
      onAnswer: (value: unknown) => one.kept.set(topic, value),
    }))
    this.#gathering.start(asked, withinMs, (values) =>
      tell(member, { kind: 'gathered', id, values, left: this.#left.get(topic) ?? [] }),
    )
  }

  #listens(member: Member, port: number): void {
    member.isListening = true
    if (this.#exitCode !== undefined) tell(member, { kind: 'stop' })
    else if (this.#port === null) {
      this.#port = port
      for (let seat = 1; seat < this.#options.workerCount; seat++) this.add(seat, false)
    }
    if (this.#isWhole) tell(member, { kind: 'whole' })
    const listening = [...this.#members].filter(({ isListening }) => isListening)
    if (this.#isWhole || listening.length < this.#options.workerCount) return
    this.#isWhole = true
    for (const each of listening) tell(each, { kind: 'whole' })
    this.started.resolve('listening')
  }

  async #answer(member: Member, { id, topic, value }: Extract<FromThread, { kind: 'ask' }>): Promise<void> {
    try {
      const answered = await this.#options.answer(topic, value)
      tell(member, { kind: 'told', id, value: answered, error: undefined })
    } catch (error) {
      tell(member, { kind: 'told', id, value: undefined, error: textOf(error) })
    }
  }

  #hasEnded(member: Member, code: number): void {
    // After its end: from here on others take over what it held.
    this.#memory.dismiss(member.holder)
    this.#members.delete(member)
    this.#gathering.leave(member)
    // A counter must not go back because a worker has ended. The oldest are forgotten, to have an end.
    for (const [topic, value] of member.kept)
      this.#left.set(topic, [...(this.#left.get(topic) ?? []), value].slice(-leftMaxCount))
    if (this.#exitCode !== undefined) {
      if (code !== 0 && this.#exitCode === 0 && member.isListening) this.#exitCode = failedCode
    } else if (this.#isWhole) this.#replace(member, code)
    else {
      this.#options.print(`worker ${member.seat + 1} has ended before all were listening\n`)
      this.stop(code === 0 ? failedCode : code)
    }
    this.#endIfEmpty()
  }

  #replace({ seat }: Member, code: number): void {
    const nowMs = performance.now()
    this.#crashedAtMs = [...this.#crashedAtMs.filter((atMs) => nowMs - atMs < crashWindowMs), nowMs]
    const crashCount = this.#crashedAtMs.length
    if (crashCount >= crashMaxCount || this.#memory.isExhausted) {
      this.#options.print(`workers have ended ${crashCount} times within a minute: the server stops\n`)
      this.stop(failedCode)
      return
    }
    this.#options.print(`worker ${seat + 1} has ended with code ${code}; another takes its place\n`)
    const pause = setTimeout(
      () => {
        this.#pauses.delete(pause)
        this.add(seat, false)
      },
      firstPauseMs * 2 ** (crashCount - 1),
    )
    this.#pauses.add(pause)
  }

  #endIfEmpty(): void {
    if (this.#exitCode === undefined || this.#members.size > 0) return
    this.started.resolve(this.#exitCode)
    this.ended.resolve(this.#exitCode)
  }
}

function tell({ thread }: Member, message: ToThread): void {
  thread.postMessage(message)
}

function textOf(error: unknown): string {
  assert(error !== undefined, 'an error says something')
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
