import type { Signal } from './signal.ts'

const mostCount = 50
const longestChars = 200

/** Some of those who took part in what was counted: the latest 50 of each. */
export class Samples {
  readonly #addresses = new Set<string>()
  readonly #accounts = new Set<string>()
  readonly #sessions = new Set<string>()
  readonly #routes = new Set<string>()

  add({ address, account, session, route }: Signal): void {
    keep(this.#addresses, address)
    keep(this.#accounts, account)
    keep(this.#sessions, session)
    keep(this.#routes, route)
  }

  /** The oldest first. */
  get all() {
    return {
      addresses: [...this.#addresses],
      accounts: [...this.#accounts],
      sessions: [...this.#sessions],
      routes: [...this.#routes],
    }
  }
}

function keep(kept: Set<string>, value: string | null): void {
  if (value === null || value === '' || value.length > longestChars) return
  kept.delete(value)
  kept.add(value)
  if (kept.size <= mostCount) return
  const [oldest] = kept
  if (oldest !== undefined) kept.delete(oldest)
}
