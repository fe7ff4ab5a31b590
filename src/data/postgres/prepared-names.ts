import { sha256 } from '../../crypto/index.ts'
import type { ReadValue } from './values.ts'

// What a server keeps for each session; shapes of queries are few.
const namedCount = 200

/** For a text that is sent once. */
export const unnamed: Naming = { name: '', isNew: true, fields: undefined }

/** A column of what a statement gives. */
export interface Field {
  readonly name: string
  readonly read: ReadValue
}

interface Prepared {
  readonly name: string
  /** Known once it has run. The server refuses a prepared statement whose columns have changed. */
  fields: readonly Field[] | undefined
}

/** Under which name a text is sent. */
export interface Naming {
  readonly name: string
  readonly isNew: boolean
  /** Its columns, where they are known. */
  readonly fields: readonly Field[] | undefined
}

/** The statements that one session has prepared, by name, so that a repeated text is not parsed again. */
export class PreparedNames {
  readonly #names = new Map<string, Prepared>()

  /** How many there are. */
  get size(): number {
    return this.#names.size
  }

  /**
   * The name to send a text under; the empty name when there are enough.
   *
   * @param sent Texts that the same batch has just sent to be prepared.
   */
  nameOf(text: string, sent: readonly string[]): Naming {
    const known = this.#names.get(text)
    if (known !== undefined) return { name: known.name, isNew: false, fields: known.fields }
    if (this.#names.size + sent.length >= namedCount) return unnamed
    return { name: nameFor(text), isNew: !sent.includes(text), fields: undefined }
  }

  /** Notes that the server has prepared a text. */
  keep(text: string): void {
    if (this.#names.size < namedCount) this.#names.set(text, { name: nameFor(text), fields: undefined })
  }

  /** Notes what the columns of a prepared text are. */
  describe(text: string, fields: readonly Field[]): void {
    const known = this.#names.get(text)
    if (known !== undefined) known.fields = fields
  }

  /** Forgets everything: the server's side is gone or no longer fits. */
  clear(): void {
    this.#names.clear()
  }
}

function nameFor(text: string): string {
  return `h${sha256(text).toString('hex').slice(0, 24)}`
}
