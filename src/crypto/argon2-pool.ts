import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { assert } from '../base/index.ts'

/** How much one argon2id hash costs. */
export interface Argon2Cost {
  /** Memory in KiB. */
  readonly memoryKib: number
  /** Passes. */
  readonly passCount: number
  /** Lanes. */
  readonly laneCount: number
}

/** What a thread is asked to do. */
export type Argon2Job = {
  readonly password: string
  /** The pepper, where there is one. */
  readonly secret: Buffer | undefined
} & ({ readonly kind: 'hash'; readonly cost: Argon2Cost } | { readonly kind: 'verify'; readonly phc: string })

/** What became of it. */
export type Argon2Answer =
  | { readonly kind: 'hash'; readonly phc: string }
  | { readonly kind: 'verify'; readonly isRight: boolean }
  | { readonly kind: 'failed'; readonly message: string }

interface Waiting {
  readonly job: Argon2Job
  readonly resolve: (answer: Argon2Answer) => void
  readonly reject: (error: unknown) => void
}

interface HashThread {
  readonly worker: Worker
  current: Waiting | undefined
}

// As it is among the sources, and as it is in the build.
const file = import.meta.url.endsWith('.ts') ? './argon2-thread.ts' : './argon2-thread.js'

/**
 * Threads that hash, started when they are needed. The thread pool of Node would do it too, but there a hash has the
 * priority of everything else, and file access waits behind it.
 */
export class Argon2Pool {
  readonly #file: URL
  readonly #threads = new Set<HashThread>()
  readonly #idle: HashThread[] = []
  readonly #waiting: Waiting[] = []

  /** @param thread What the threads run; the one beside this file unless given. */
  constructor(thread: URL = new URL(file, import.meta.url)) {
    this.#file = thread
  }

  /** @throws when the thread cannot start, or dies: never an answer that could be taken for a wrong password */
  async run(job: Argon2Job): Promise<Argon2Answer> {
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject })
      this.#next()
    })
  }

  #next(): void {
    if (this.#waiting.length === 0) return
    const thread =
      this.#idle.pop() ?? (this.#threads.size < availableParallelism() ? this.#start() : undefined)
    if (thread === undefined) return
    const waiting = this.#waiting.shift()
    assert(waiting !== undefined, 'somebody waits')
    thread.current = waiting
    // Busy, it keeps the process alive; idle, it does not.
    thread.worker.ref()
    thread.worker.postMessage(waiting.job)
  }

  #start(): HashThread {
    const worker = new Worker(this.#file, { env: {}, name: 'argon2' })
    const thread: HashThread = { worker, current: undefined }
    this.#threads.add(thread)
    worker.on('message', (answer: Argon2Answer) => {
      const { current } = thread
      thread.current = undefined
      worker.unref()
      this.#idle.push(thread)
      current?.resolve(answer)
      this.#next()
    })
    const gone = (error: unknown): void => {
      this.#threads.delete(thread)
      const index = this.#idle.indexOf(thread)
      if (index !== -1) this.#idle.splice(index, 1)
      thread.current?.reject(error)
      thread.current = undefined
      this.#next()
    }
    worker.once('error', gone)
    worker.once('exit', (code) => gone(new TypeError(`a hashing thread has ended with ${code}`)))
    return thread
  }
}

const pool = new Argon2Pool()

/** Hashes on a thread of low priority. @returns the hash in PHC form */
export async function argon2Hash(password: string, cost: Argon2Cost, secret?: Buffer): Promise<string> {
  const answer = await pool.run({ kind: 'hash', password, cost, secret })
  if (answer.kind === 'hash') return answer.phc
  throw new TypeError(answer.kind === 'failed' ? answer.message : 'another answer than the one asked for')
}

/** Verifies on a thread of low priority. False for what is no hash. @throws when no thread can do it */
export async function argon2Verify(phc: string, password: string, secret?: Buffer): Promise<boolean> {
  const answer = await pool.run({ kind: 'verify', phc, password, secret })
  return answer.kind === 'verify' && answer.isRight
}
