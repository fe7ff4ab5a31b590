import type { MessagePort } from 'node:worker_threads'

/** What a thread is started with. */
export interface ThreadStart {
  /** From 0. A thread that takes the place of one that has ended has its seat. */
  readonly seat: number
  readonly seatCount: number
  /** Whether it is the first thread of all: it migrates, and greets whoever started the server. */
  readonly isFirst: boolean
  /** The port on which the others listen already; `null` for the first. */
  readonly port: number | null
  readonly memory: MemoryStart
  /** What the command that starts the threads hands on. */
  readonly data: unknown
}

/** What a thread knows of the shared memory from the start. */
export interface MemoryStart {
  readonly holder: number
  readonly hashSecret: Uint8Array
  /** A byte for each name of a thread; 1 when that thread has ended. */
  readonly gone: SharedArrayBuffer
  /** Counts what the owner has sent through the port, so that a thread can wait for an answer. */
  readonly answered: SharedArrayBuffer
  readonly port: MessagePort
}

/** What a thread tells the one that has started it. */
export type FromThread =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly report: string; readonly exitCode: number }
  /** Asks all other threads. */
  | {
      readonly kind: 'gather'
      readonly id: number
      readonly topic: string
      readonly value: unknown
      readonly withinMs: number
    }
  /** Asks all threads, itself too, for what is to be kept of each of them after its end. */
  | { readonly kind: 'collect'; readonly id: number; readonly topic: string; readonly withinMs: number }
  /** Answers what another thread has asked. */
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  /** Asks the one that has started it. */
  | { readonly kind: 'ask'; readonly id: number; readonly topic: string; readonly value: unknown }

/** What a thread is told. */
export type ToThread =
  | { readonly kind: 'stop' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'asked'; readonly id: number; readonly topic: string; readonly value: unknown }
  | {
      readonly kind: 'gathered'
      readonly id: number
      readonly values: readonly unknown[]
      /** What threads had answered that have ended since. */
      readonly left: readonly unknown[]
    }
  | {
      readonly kind: 'told'
      readonly id: number
      readonly value: unknown
      /** The message of the error instead of an answer. */
      readonly error: string | undefined
    }
