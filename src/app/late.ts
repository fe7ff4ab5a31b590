import { assert } from '../base/index.ts'

/** Something that is there once the database is open, while those who will ask for it are made before. */
export class Late<T> {
  #value: T | undefined

  /** Gives it, once. */
  set(value: T): void {
    assert(this.#value === undefined, 'it is given once')
    this.#value = value
  }

  /** @throws Error before it is given */
  readonly get = (): T => {
    assert(this.#value !== undefined, 'it is asked for while requests are served, not before')
    return this.#value
  }
}
