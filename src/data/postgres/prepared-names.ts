import { sha256 } from '../../crypto/index.ts'

// What a server keeps for each session; shapes of queries are few.
const namedCount = 200

/** The statements that one session has prepared, by name, so that a repeated text is not parsed again. */
export class PreparedNames {
  readonly #names = new Map<string, string>()

  /** How many there are. */
  get size(): number {
    return this.#names.size
  }

  /**
   * The name to send a text under; the empty name when there are enough.
   *
   * @param sent Texts that the same batch has just sent to be prepared.
   */
  nameOf(text: string, sent: readonly string[]): { readonly name: string; readonly isNew: boolean } {
    const known = this.#names.get(text)
    if (known !== undefined) return { name: known, isNew: false }
    if (this.#names.size + sent.length >= namedCount) return { name: '', isNew: true }
    const name = nameFor(text)
    return { name, isNew: !sent.includes(text) }
  }

  /** Notes that the server has prepared a text. */
  keep(text: string): void {
    if (this.#names.size < namedCount) this.#names.set(text, nameFor(text))
  }

  /** Forgets everything: the server's side is gone or no longer fits. */
  clear(): void {
    this.#names.clear()
  }
}

function nameFor(text: string): string {
  return `h${sha256(text).toString('hex').slice(0, 24)}`
}
