import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { assert } from '../base/index.ts'
import type { SharedMemory } from '../limits/index.ts'
import { memoryOf } from './memory.ts'
import type { FromThread, ThreadStart, ToThread } from './messages.ts'

/** Answers what another worker asks; what it returns is copied to the other thread. */
interface Hearing {
  // Written as a method, so that it may be more exact about what it hears: both ends are the same code.
  heard(value: unknown): unknown
}

/** One worker's place among the others, as the worker sees it. */
export interface WorkerSeat {
  /** From 1, as people count: the field `worker` of its log lines. */
  readonly number: number
  readonly workerCount: number
  /** Whether it is the first of all to start: it alone greets whoever started the server. */
  readonly isFirst: boolean
  /** The port on which the others listen already; `null` for the first. */
  readonly port: number | null
  /** What the workers share. */
  readonly memory: SharedMemory
  /** Where signals come from, in the place of `process`: threads get none. */
  readonly signals: WorkerSignals
  /** Whether all workers have listened. */
  isWhole(): boolean
  /**
   * Asks all other workers, and waits until each has answered.
   *
   * @param withinMs Who has not answered by then has no answer in the list: a worker that hangs, or is gone.
   */
  gather(topic: string, value: unknown, withinMs: number): Promise<readonly unknown[]>
  /**
   * Asks all workers, this one too, and remembers what each has answered: what a worker had last answered that has
   * ended since is in `left`.
   */
  collect<T>(topic: string, withinMs: number): Promise<Collected<T>>
  /** Answers what other workers gather. A topic that nobody hears answers `undefined`. */
  hear<T>(topic: string, hearing: (value: T) => unknown): void
  /** Asks the thread that has started the workers. @throws DOMException when it cannot answer */
  ask(topic: string, value: unknown): Promise<unknown>
  /** Says that it listens. */
  listening(port: number): void
  /** Says why it cannot start. The process prints it and exits. */
  failed(report: string, exitCode: number): void
}

/** What workers have answered. */
export interface Collected<T> {
  readonly values: readonly T[]
  /** Of workers that have ended. */
  readonly left: readonly T[]
}

/** Signals of the process as a worker gets them. */
export interface WorkerSignals {
  on(event: 'SIGINT' | 'SIGTERM', listener: () => void): void
  on(event: 'uncaughtException', listener: (error: unknown) => void): void
  /** Ends the worker, and nothing else. */
  exit(code: number): void
}

/** What a worker was started with, and its place. @throws AssertionError in what is no worker */
export function takeSeat(): { readonly seat: WorkerSeat; readonly data: unknown } {
  assert(parentPort !== null, 'a seat is taken by a worker')
  const start: ThreadStart = workerData
  return { seat: new Seat(start, parentPort), data: start.data }
}

/** Waits for the answer to one question. */
interface Asking {
  // Written as a method, as above.
  resolve(value: unknown): void
  reject(error: Error): void
}

class Seat implements WorkerSeat {
  readonly number: number
  readonly workerCount: number
  readonly isFirst: boolean
  readonly port: number | null
  readonly memory: SharedMemory
  readonly signals: WorkerSignals
  readonly #parent: MessagePort
  readonly #hearings = new Map<string, Hearing>()
  readonly #asking = new Map<number, Asking>()
  readonly #stopListeners: (() => void)[] = []
  #lastId = 0
  #isWhole = false

  constructor({ seat, seatCount, isFirst, port, memory }: ThreadStart, parent: MessagePort) {
    this.number = seat + 1
    this.workerCount = seatCount
    this.isFirst = isFirst
    this.port = port
    this.memory = memoryOf(memory, { seat, seatCount })
    this.signals = signalsOf(this.#stopListeners)
    this.#parent = parent
    parent.on('message', (message: ToThread) => this.#take(message))
  }

  isWhole(): boolean {
    return this.#isWhole
  }

  async gather(topic: string, value: unknown, withinMs: number): Promise<readonly unknown[]> {
    const { values } = await this.#request<Collected<unknown>>((id) => ({
      ...{ kind: 'gather', id, topic, value, withinMs },
    }))
    return values
  }

  async collect<T>(topic: string, withinMs: number): Promise<Collected<T>> {
    return await this.#request<Collected<T>>((id) => ({ kind: 'collect', id, topic, withinMs }))
  }

  hear<T>(topic: string, hearing: (value: T) => unknown): void {
    this.#hearings.set(topic, { heard: hearing })
  }

  async ask(topic: string, value: unknown): Promise<unknown> {
    return await this.#request<unknown>((id) => ({ kind: 'ask', id, topic, value }))
  }

  listening(port: number): void {
    this.#send({ kind: 'listening', port })
  }

  failed(report: string, exitCode: number): void {
    this.#send({ kind: 'failed', report, exitCode })
  }

  #send(message: FromThread): void {
    this.#parent.postMessage(message)
  }

  #request<T>(message: (id: number) => FromThread): Promise<T> {
    this.#lastId += 1
    const id = this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#asking.set(id, { resolve, reject })
    this.#send(message(id))
    return promise
  }

  #take(message: ToThread): void {
    if (message.kind === 'stop') for (const listener of this.#stopListeners) listener()
    else if (message.kind === 'whole') this.#isWhole = true
    else if (message.kind === 'asked') void this.#answer(message)
    else {
      const asking = this.#asking.get(message.id)
      this.#asking.delete(message.id)
      if (message.kind === 'gathered') asking?.resolve({ values: message.values, left: message.left })
      else if (message.error === undefined) asking?.resolve(message.value)
      else asking?.reject(new DOMException(message.error, 'OperationError'))
    }
  }

  async #answer({ id, topic, value }: Extract<ToThread, { kind: 'asked' }>): Promise<void> {
    // Whoever cannot answer says nothing: the other has its own way to know, such as a table.
    const heard = await Promise.resolve(value)
      .then((given) => this.#hearings.get(topic)?.heard(given))
      .catch(() => undefined)
    this.#send({ kind: 'answer', id, value: heard })
  }
}

function signalsOf(stopListeners: (() => void)[]): WorkerSignals {
  return {
    on(event: 'SIGINT' | 'SIGTERM' | 'uncaughtException', listener: (error?: unknown) => void) {
      // The process tells a worker to stop once, whichever signal it was.
      if (event === 'SIGTERM') stopListeners.push(() => listener())
      else if (event === 'uncaughtException') process.on(event, listener)
    },
    exit: (code) => process.exit(code),
  }
}
