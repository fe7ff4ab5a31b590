/** As much of a reply of `node:http` or `node:http2` as it takes to see its end. */
export interface EndingReply {
  readonly statusCode: number
  /** Whether everything has been said. */
  readonly writableEnded: boolean
  /** Of `node:http`. */
  readonly destroyed?: boolean
  /** Of `node:http2`. */
  readonly stream?: { readonly destroyed: boolean } | undefined
  once(event: 'finish' | 'close', listener: () => void): unknown
}

/** How a reply ended: `well` with a status below 400 or 503, sent in full. */
export type ReplyOutcome = 'well' | 'badly'

/**
 * Sees how a reply ends. It has to be made before anything is awaited: a client that goes away meanwhile is announced
 * once, and whoever listens later waits for ever, with a place of `concurrentCount` in hand. So somebody who hangs up at
 * the right moment, a few times, would have locked an account out (ASVS 15.2.2).
 */
export class ReplyEnd {
  readonly #listeners = new Set<(outcome: ReplyOutcome) => void>()
  #outcome: ReplyOutcome | undefined

  constructor(reply: EndingReply) {
    if (reply.destroyed === true || reply.stream?.destroyed === true) {
      this.#outcome = 'badly'
      return
    }
    reply.once('finish', () => this.#end(outcomeOf(reply)))
    reply.once('close', () => this.#end('badly'))
  }

  /** Whether the reply is out, or its client gone. */
  get isOver(): boolean {
    return this.#outcome !== undefined
  }

  /** Calls back once it is over, now if it is already. @returns how to stop listening */
  onEnd(listener: (outcome: ReplyOutcome) => void): () => void {
    if (this.#outcome !== undefined) listener(this.#outcome)
    else this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #end(outcome: ReplyOutcome): void {
    if (this.#outcome !== undefined) return
    this.#outcome = outcome
    for (const listener of this.#listeners) listener(outcome)
    this.#listeners.clear()
  }
}

function outcomeOf({ statusCode, writableEnded }: EndingReply): ReplyOutcome {
  // HTTP/2 says "finish" of a stream that was reset too. 503: the server did nothing, so the client has not failed.
  return writableEnded && (statusCode < 400 || statusCode === 503) ? 'well' : 'badly'
}
