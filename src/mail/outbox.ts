import { assert } from '../base/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { MailFailure } from './failure.ts'
import type { Letter, RenderedMail } from './letter.ts'
import { Room } from './room.ts'
import { defaultSchedule, type MailSchedule, retryWaitMs } from './schedule.ts'
import { type ClaimedMail, type MailKeys, MailStore } from './store.ts'
import { MailRefused, type MailTransport } from './transport.ts'

/** What is to be mailed. The letter is made when it is sent, so that no token of it ever lies in a table. */
export interface MailIntent {
  readonly kind: string
  /** Anything that JSON can hold; sealed in the table. */
  readonly data: unknown
}

/** Mails on their way. */
export interface Outbox {
  /**
   * Notes that something is to be mailed: one INSERT, in the transaction of the caller. Call {@link Outbox.wake} after
   * the commit.
   *
   * @throws OVERLOADED when more wait than may
   */
  add(db: MigrationDatabase, intent: MailIntent): Promise<void>
  /** Something has been committed: the worker starts a little later. It never throws, and nobody waits for it. */
  wake(): void
  /** Resolves when nothing is due any more, and nothing is being sent. */
  idle(): Promise<void>
  /** Ends the worker: what is being sent gets a few seconds, and stays in the table when it needs more. */
  close(): Promise<void>
}

/** What an outbox is made of. */
export interface OutboxParts {
  readonly db: MigrationDatabase
  /** Derived for `mail-outbox`: the current one first, then the one of the root secret before. */
  readonly keys: MailKeys
  /** Makes the letter, anew at each attempt; `null` when there is nobody to write to. */
  readonly compose: (intent: MailIntent) => Promise<Letter | null>
  readonly render: (letter: Letter) => RenderedMail
  readonly transport: MailTransport
  /** Told of what cannot be sent ({@link MailFailure}, without the address), and of a database that fails. */
  readonly onFailure: (error: unknown) => void
  /** How many may wait; 10,000 unless given. */
  readonly waitingMaxCount?: number
  readonly schedule?: MailSchedule
  readonly nowMs?: () => number
}

const defaultWaitingMaxCount = 10_000
const laneMaxCount = 4
const lookEveryMs = 5_000
// The work of the worker must not show in the time of the request that has caused it, nor of the next one (ASVS 6.3.8).
const startMinMs = 20
const startSpanMs = 100

/**
 * A table of mails to send, and the worker that sends them: at least once each, also across processes that die. A mail
 * goes out twice when its process dies, or loses the database, between the mail server's answer and the deletion of
 * the row. A failing mail server neither fails nor delays a request, and is tried again less and less often.
 *
 * @see OWASP ASVS 5.0 §6.3.8, §16.5.2
 * @example
 * const outbox = mailOutbox({ db, keys: [key], compose, render, transport, onFailure })
 * await db.transaction().execute((trx) => outbox.add(trx, { kind: 'registration', data: { email } }))
 * outbox.wake()
 */
export function mailOutbox(parts: OutboxParts): Outbox {
  return new TableOutbox(parts)
}

class TableOutbox implements Outbox {
  readonly #parts: OutboxParts
  readonly #schedule: MailSchedule
  readonly #nowMs: () => number
  readonly #store: MailStore
  readonly #room: Room
  readonly #looking: NodeJS.Timeout
  readonly #attempts = new Set<AbortController>()
  #starting: NodeJS.Timeout | undefined
  #laneCount = 0
  #isWanted = false
  #isClosed = false
  #whenStill: (() => void)[] = []

  constructor(parts: OutboxParts) {
    this.#parts = parts
    this.#schedule = parts.schedule ?? defaultSchedule
    assert(
      this.#schedule.leaseMs > this.#schedule.attemptMs,
      'a mail is leased for longer than an attempt lasts',
    )
    this.#nowMs = parts.nowMs ?? Date.now
    this.#store = new MailStore(parts.db, parts.keys)
    this.#room = new Room(parts.waitingMaxCount ?? defaultWaitingMaxCount)
    // Mails that were put off, and those of processes that died.
    this.#looking = setInterval(() => this.#start(), lookEveryMs)
    this.#looking.unref()
  }

  async add(db: MigrationDatabase, intent: MailIntent): Promise<void> {
    this.#room.require()
    const nowMs = this.#nowMs()
    await this.#store.insert(db, intent, { nowMs, expiresAtMs: nowMs + this.#schedule.lifetimeMs })
    this.#room.added()
  }

  wake(): void {
    if (this.#isClosed || this.#starting !== undefined) return
    this.#starting = setTimeout(
      () => {
        this.#starting = undefined
        this.#start()
      },
      startMinMs + Math.random() * startSpanMs,
    )
  }

  async idle(): Promise<void> {
    clearTimeout(this.#starting)
    this.#starting = undefined
    this.#start()
    await this.#still()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#starting)
    clearInterval(this.#looking)
    const patience = setTimeout(() => {
      for (const attempt of this.#attempts) attempt.abort()
    }, this.#schedule.closeMs)
    await this.#still()
    clearTimeout(patience)
    this.#parts.transport.close()
  }

  /** Resolves when no lane runs. */
  async #still(): Promise<void> {
    if (this.#laneCount === 0) return
    await new Promise<void>((resolve) => this.#whenStill.push(resolve))
  }

  #start(): void {
    this.#isWanted = true
    if (!this.#isClosed && this.#laneCount < laneMaxCount) void this.#lane()
  }

  /** Sends one mail after the other. Each that finds one starts another lane, so a mail that stalls holds up no other. */
  async #lane(): Promise<void> {
    this.#laneCount += 1
    try {
      while (this.#isWanted && !this.#isClosed) {
        this.#isWanted = false
        await this.#room.refresh(this.#nowMs(), (maxCount) => this.#store.countUpTo(maxCount))
        await this.#sendAll()
      }
    } catch (error) {
      this.#parts.onFailure(error)
    } finally {
      this.#laneCount -= 1
      if (this.#laneCount === 0) for (const resolve of this.#whenStill.splice(0)) resolve()
    }
  }

  async #sendAll(): Promise<void> {
    while (!this.#isClosed) {
      const mail = await this.#store.claim(this.#nowMs(), this.#schedule.leaseMs)
      if (mail === null) return
      this.#start()
      await this.#deliver(mail)
    }
  }

  async #deliver(mail: ClaimedMail): Promise<void> {
    const intent = this.#store.open(mail)
    if (intent === null) return await this.#giveUp(mail, 'unknown', 'the row does not open')
    const { kind } = intent
    if (mail.expiresAtMs <= this.#nowMs()) return await this.#giveUp(mail, kind, 'its time is over')
    if (mail.attemptCount > this.#schedule.attemptMaxCount)
      return await this.#giveUp(mail, kind, 'it was begun too often')
    try {
      await this.#attempt(intent)
    } catch (error) {
      if (error instanceof MailRefused) return await this.#giveUp(mail, kind, error)
      return await this.#putOff(mail, kind, error)
    }
    await this.#drop(mail)
  }

  /** Composes and sends, within the time for it: past the lease another process would do the same. */
  async #attempt(intent: MailIntent): Promise<void> {
    const { compose, render, transport } = this.#parts
    const { attemptMs } = this.#schedule
    const attempt = new AbortController()
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    attempt.signal.addEventListener('abort', () => reject(attempt.signal.reason))
    const timer = setTimeout(() => attempt.abort(new Overtime(attemptMs)), attemptMs)
    this.#attempts.add(attempt)
    const work = async (): Promise<void> => {
      const letter = await compose(intent)
      if (letter !== null && !attempt.signal.aborted) await transport.send(render(letter), attempt.signal)
    }
    try {
      await Promise.race([work(), aborted])
    } finally {
      clearTimeout(timer)
      this.#attempts.delete(attempt)
    }
  }

  async #putOff(mail: ClaimedMail, kind: string, error: unknown): Promise<void> {
    // Cut off by closing: nobody's fault, and whoever starts next may try at once.
    if (this.#isClosed) return await this.#store.postpone(mail, this.#nowMs())
    const { attemptCount } = mail
    const dueAtMs = this.#nowMs() + retryWaitMs(attemptCount, Math.random())
    const isOver = attemptCount >= this.#schedule.attemptMaxCount || dueAtMs >= mail.expiresAtMs
    if (isOver) return await this.#giveUp(mail, kind, error)
    await this.#store.postpone(mail, dueAtMs)
    this.#parts.onFailure(new MailFailure({ kind, attemptCount, isGivenUp: false }, error))
  }

  async #giveUp(mail: ClaimedMail, kind: string, why: unknown): Promise<void> {
    await this.#drop(mail)
    const { attemptCount } = mail
    this.#parts.onFailure(new MailFailure({ kind, attemptCount, isGivenUp: true }, why))
  }

  async #drop(mail: ClaimedMail): Promise<void> {
    await this.#store.drop(mail)
    this.#room.removed()
  }
}

/** An attempt that took too long. */
class Overtime extends Error {
  readonly code = 'ETIMEDOUT'

  constructor(attemptMs: number) {
    super(`an attempt took more than ${attemptMs} ms`)
    this.name = 'Overtime'
  }
}
