/** Somebody who is asked. */
export interface Asked {
  readonly of: object
  readonly ask: (id: number) => void
  readonly onAnswer?: (value: unknown) => void
}

interface Question {
  readonly waitedFor: Map<object, Asked>
  readonly values: unknown[]
  readonly done: (values: readonly unknown[]) => void
  readonly timer: NodeJS.Timeout
}

/** Questions that several are asked at once. */
export class Gathering {
  readonly #questions = new Map<number, Question>()
  #lastId = 0

  /**
   * Asks all, and hands on what they answer.
   *
   * @param done Called once: when all have answered or left, or when the time is over.
   */
  start(all: readonly Asked[], withinMs: number, done: (values: readonly unknown[]) => void): void {
    this.#lastId += 1
    const id = this.#lastId
    const waitedFor = new Map(all.map((one) => [one.of, one]))
    const timer = setTimeout(() => this.#end(id), withinMs)
    this.#questions.set(id, { waitedFor, values: [], done, timer })
    for (const { ask } of all) ask(id)
    this.#endIfDone(id)
  }

  /** Takes up an answer; one that comes too late is dropped. */
  answer(id: number, from: object, value: unknown): void {
    const question = this.#questions.get(id)
    const asked = question?.waitedFor.get(from)
    if (question === undefined || asked === undefined) return
    question.waitedFor.delete(from)
    if (value !== undefined) {
      question.values.push(value)
      asked.onAnswer?.(value)
    }
    this.#endIfDone(id)
  }

  /** Somebody is gone, and answers nothing any more. */
  leave(from: object): void {
    for (const [id, { waitedFor }] of this.#questions) if (waitedFor.delete(from)) this.#endIfDone(id)
  }

  #endIfDone(id: number): void {
    if (this.#questions.get(id)?.waitedFor.size === 0) this.#end(id)
  }

  #end(id: number): void {
    const question = this.#questions.get(id)
    if (question === undefined) return
    this.#questions.delete(id)
    clearTimeout(question.timer)
    question.done(question.values)
  }
}
