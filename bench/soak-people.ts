import { setTimeout as delay } from 'node:timers/promises'
import { memberOf } from '../test/kit/client.ts'
import type { Reply, SoakClient } from './soak-client.ts'
import { soakPassword } from './soak-words.ts'

/** A note as its owner knows it from the answers. */
export interface KnownNote {
  readonly id: string
  title: string
  body: string
  /** Whom it is shared with. */
  readonly sharedWith: Set<Person>
}

/** What a request of somebody carries, and which answers are right. */
export interface Asking {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly expected: readonly number[]
}

const comeBackMs = 500
const insistMaxCount = 60
// Each at a time of their own, so that the work is the same in every cycle.
const renewAfterMs = 30_000

/** Somebody with an account, who does what the client of an application does, one request after the other. */
export class Person {
  readonly email: string
  /** The address that all their requests come from. */
  readonly from: string
  /** Own notes by their id: each write is entered once it is acknowledged. */
  readonly notes = new Map<string, KnownNote>()
  id = ''
  /** Writes of which it is not known what came of them. */
  unansweredCount = 0
  readonly #client: SoakClient
  readonly #others: readonly number[]
  #accessToken = ''
  #refreshToken = ''
  #renewAtMs = 0

  /**
   * @param others Statuses besides the usual ones that are right for them: of an attacker, what detectors have done.
   */
  constructor(client: SoakClient, index: number, others: readonly number[] = []) {
    this.#client = client
    this.#others = others
    this.email = `person${index}@example.com`
    this.from = `10.${1 + (index >> 8)}.${index & 255}.7`
  }

  /** Signs in unless they are, and renews the tokens when it is time. */
  async beSignedIn(): Promise<boolean> {
    if (this.#accessToken === '') return this.signIn()
    return performance.now() < this.#renewAtMs || this.renew()
  }

  /** Signs in, after signing out if need be. */
  async signIn(): Promise<boolean> {
    if (this.#accessToken !== '')
      await this.ask('sign out', 'POST', '/api/auth/logout', { expected: [204, ...this.#others] })
    this.#accessToken = ''
    const reply = await this.#client.ask({
      ...{
        what: 'sign in',
        from: this.from,
        method: 'POST',
        path: '/api/auth/login',
        expected: [200, ...this.#others],
      },
      body: { email: this.email, password: soakPassword },
    })
    if (!this.#take(reply)) return false
    if (this.id === '') {
      const me = await this.ask('sign in', 'GET', '/api/users/me', { expected: [200, ...this.#others] })
      this.id = String(memberOf(me?.json, 'id') ?? '')
    }
    return this.id !== ''
  }

  /** Takes the next tokens for the refresh token. */
  async renew(): Promise<boolean> {
    const reply = await this.#client.ask({
      ...{
        what: 'renew',
        from: this.from,
        method: 'POST',
        path: '/api/auth/refresh',
        expected: [200, ...this.#others],
      },
      body: { refreshToken: this.#refreshToken },
    })
    if (this.#take(reply)) return true
    this.forget()
    return false
  }

  /** The header field with their token. */
  get credential(): Readonly<Record<string, string>> {
    return { authorization: `Bearer ${this.#accessToken}` }
  }

  get refreshToken(): string {
    return this.#refreshToken
  }

  /** Signed out as far as they know. */
  forget(): void {
    this.#accessToken = ''
  }

  /** A request with the token of this person. */
  ask(what: string, method: string, path: string, more: Asking): Promise<Reply | undefined> {
    const headers = { ...this.credential, ...more.headers }
    return this.#client.ask({ ...more, what, method, path, from: this.from, headers })
  }

  /**
   * As {@link ask}, again and again while the server asks to come back: what is sent may be carried out twice without
   * harm. A deletion that was carried out and not answered finds nothing the second time.
   */
  async insist(what: string, method: string, path: string, more: Asking): Promise<Reply | undefined> {
    for (let turn = 0; turn < insistMaxCount; turn += 1) {
      const mayBeDone = turn > 0 && method === 'DELETE' ? [404] : []
      const expected = [...more.expected, ...mayBeDone]
      const reply = await this.ask(what, method, path, { ...more, expected })
      if (reply !== undefined) return reply
      await delay(comeBackMs)
    }
    this.unansweredCount += 1
    return undefined
  }

  #take(reply: Reply | undefined): boolean {
    if (reply?.status !== 200) return false
    this.#accessToken = String(memberOf(reply.json, 'accessToken'))
    this.#refreshToken = String(memberOf(reply.json, 'refreshToken'))
    this.#renewAtMs = performance.now() + renewAfterMs * (1 + Math.random())
    return true
  }
}
