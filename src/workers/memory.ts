import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { assert } from '../base/index.ts'
import { unguessableBytes } from '../crypto/index.ts'
import type { SharedMemory, SharedRegion } from '../limits/index.ts'
import type { MemoryStart } from './messages.ts'

/** How many threads there can be one after the other: each has a name of its own. */
const holderCount = 65_536
const answerMs = 5_000

interface RegionWish {
  readonly name: string
  readonly byteCount: number
}

/** What a group shares, as the thread sees it that has started the group: it makes the regions. */
export class MemoryOwner {
  readonly #regions = new Map<string, SharedRegion>()
  readonly #hashSecret = Uint8Array.from(unguessableBytes(16))
  readonly #gone = new Uint8Array(new SharedArrayBuffer(holderCount))
  #lastHolder = 0

  /** Whether there are names left for more threads. */
  get isExhausted(): boolean {
    return this.#lastHolder + 1 >= holderCount
  }

  /** What a new thread is started with; the port is to be handed over. */
  admit(): MemoryStart {
    assert(!this.isExhausted, 'every thread has a name of its own')
    const { port1, port2 } = new MessageChannel()
    const answered = new SharedArrayBuffer(4)
    const count = new Int32Array(answered)
    port1.on('message', (wish: RegionWish) => {
      port1.postMessage(this.region(wish.name, wish.byteCount))
      Atomics.add(count, 0, 1)
      Atomics.notify(count, 0)
    })
    port1.unref()
    this.#lastHolder += 1
    const holder = this.#lastHolder
    return { holder, hashSecret: this.#hashSecret, gone: this.#sharedGone(), answered, port: port2 }
  }

  /** A thread has ended: what it held is nobody's. To be called after its end, never before. */
  dismiss(holder: number): void {
    Atomics.store(this.#gone, holder, 1)
  }

  /** See {@link SharedMemory.region}. */
  region(name: string, byteCount: number): SharedRegion {
    const known = this.#regions.get(name)
    if (known !== undefined) return known
    const made = { buffer: new SharedArrayBuffer(byteCount), order: this.#regions.size }
    this.#regions.set(name, made)
    return made
  }

  #sharedGone(): SharedArrayBuffer {
    const { buffer } = this.#gone
    assert(buffer instanceof SharedArrayBuffer, 'what threads share is shared memory')
    return buffer
  }
}

/** The same as a thread of the group sees it. */
export function memoryOf(
  { holder, hashSecret, gone, answered, port }: MemoryStart,
  place: Pick<SharedMemory, 'seat' | 'seatCount'>,
): SharedMemory {
  const goneBytes = new Uint8Array(gone)
  const count = new Int32Array(answered)
  port.unref()
  return {
    ...place,
    holder,
    hashSecret: Buffer.from(hashSecret),
    isGone: (other) => Atomics.load(goneBytes, other) === 1,
    region(name, byteCount) {
      const region = ask(port, count, { name, byteCount })
      assert(region.buffer.byteLength === byteCount, `threads agree about the size of ${name}`)
      return region
    },
  }
}

/** Waits for the answer: once for each region, when the server starts or a class is used for the first time. */
function ask(port: MessagePort, count: Int32Array, wish: RegionWish): SharedRegion {
  const endMs = performance.now() + answerMs
  let seen = Atomics.load(count, 0)
  port.postMessage(wish)
  while (performance.now() < endMs) {
    const received: { readonly message: SharedRegion } | undefined = receiveMessageOnPort(port)
    if (received !== undefined) return received.message
    Atomics.wait(count, 0, seen, answerMs)
    seen = Atomics.load(count, 0)
  }
  assert(false, 'the thread that has started this one answers')
}
