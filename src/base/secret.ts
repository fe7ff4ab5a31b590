import { inspect } from 'node:util'

const hidden = '[secret]'

/**
 * A value that must not appear in a log, an error, a response or a crash report.
 *
 * Prints as `[secret]` in strings, JSON and `inspect`; the only way out is {@link Secret.reveal},
 * so that every use can be found by searching for that word.
 *
 * @example
 * const pepper = new Secret('correct horse')
 * `${pepper}` // '[secret]'
 * @see OWASP ASVS 5.0 §16.2.5
 */
export class Secret<T = string> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  /** The value itself. Call it as late as possible and never store the result. */
  reveal(): T {
    return this.#value
  }

  toString(): string {
    return hidden
  }

  toJSON(): string {
    return hidden
  }

  [inspect.custom](): string {
    return hidden
  }
}
