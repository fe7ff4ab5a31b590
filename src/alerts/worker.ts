import { assert } from '../base/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import type { AlertChannel } from './channels/channel.ts'
import { DeliveryFault, faultOf } from './channels/fault.ts'
import { type ClaimedDelivery, claim, endAttempt } from './deliveries.ts'
import { readAlert } from './records.ts'
import { type DeliverySchedule, retryWaitMs } from './schedule.ts'

/** What a worker is made of. */
export interface WorkerParts {
  readonly db: MigrationDatabase
  readonly channels: readonly AlertChannel[]
  readonly schedule: DeliverySchedule
  readonly nowMs: () => number
  /** Told of what could not be delivered ({@link DeliveryFailure}), and of a database that fails. */
  readonly onFailure: (error: unknown) => void
}

/** A delivery that was not made, as it may be logged: by which channel, and why in fixed words. */
export class DeliveryFailure extends Error {
  readonly channel: string
  readonly attemptCount: number
  readonly isGivenUp: boolean

  constructor({ channel, attemptCount }: ClaimedDelivery, isGivenUp: boolean, why: string) {
    const ending = isGivenUp ? 'It is given up.' : 'It is tried again.'
    super(`alert by ${channel}, attempt ${attemptCount}: ${why}. ${ending}`)
    this.name = 'DeliveryFailure'
    this.channel = channel
    this.attemptCount = attemptCount
    this.isGivenUp = isGivenUp
  }
}

/**
 * Delivers what is due, one after the other for each channel: at least once each, also across processes that die. A
 * receiver that does not answer holds up no other channel, no request and no detector.
 *
 * @see OWASP ASVS 5.0 §16.5.2
 */
export class DeliveryWorker {
  readonly #parts: WorkerParts
  readonly #looking: NodeJS.Timeout
  readonly #lanes = new Map<AlertChannel, Promise<void>>()
  readonly #wanted = new Set<AlertChannel>()
  readonly #attempts = new Set<AbortController>()
  #isClosed = false

  constructor(parts: WorkerParts) {
    const { attemptMs, leaseMs, lookEveryMs } = parts.schedule
    assert(leaseMs > attemptMs, 'a delivery is leased for longer than an attempt lasts')
    this.#parts = parts
    this.#looking = setInterval(() => this.wake(), lookEveryMs)
    this.#looking.unref()
  }

  /** Something may be due. It never throws, and nobody waits for it. */
  wake(): void {
    for (const channel of this.#parts.channels) {
      this.#wanted.add(channel)
      if (this.#isClosed || this.#lanes.has(channel)) continue
      this.#lanes.set(channel, this.#lane(channel))
    }
  }

  /** Resolves when nothing is due any more, and nothing is being delivered. */
  async idle(): Promise<void> {
    this.wake()
    await Promise.all(this.#lanes.values())
  }

  /** Ends: what is being delivered gets a few seconds, and stays in the table when it needs more. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#looking)
    const patience = setTimeout(() => {
      for (const attempt of this.#attempts) attempt.abort()
    }, this.#parts.schedule.closeMs)
    await Promise.all(this.#lanes.values())
    clearTimeout(patience)
  }

  async #lane(channel: AlertChannel): Promise<void> {
    try {
      while (!this.#isClosed && this.#wanted.delete(channel)) await this.#deliverAll(channel)
    } catch (error) {
      this.#parts.onFailure(error)
    } finally {
      this.#lanes.delete(channel)
    }
  }

  async #deliverAll(channel: AlertChannel): Promise<void> {
    const { db, schedule, nowMs } = this.#parts
    while (!this.#isClosed) {
      const delivery = await claim(db, channel.name, { nowMs: nowMs(), leaseMs: schedule.leaseMs })
      if (delivery === null) return
      await this.#deliver(channel, delivery)
    }
  }

  async #deliver(channel: AlertChannel, delivery: ClaimedDelivery): Promise<void> {
    const { db, schedule, nowMs } = this.#parts
    if (delivery.attemptCount > schedule.attemptMaxCount)
      return await this.#giveUp(delivery, 'it was begun too often')
    // An attempt that cannot even be read stays leased, and is due again when the lease ends.
    const alert = await readAlert(db, delivery.alertId)
    if (alert === null) return await this.#giveUp(delivery, 'the alert is gone')
    const { id, kind: news } = delivery
    try {
      await this.#attempt((signal) => channel.send({ id, news, alert, nowMs: nowMs() }, signal))
    } catch (error) {
      return await this.#failed(delivery, faultOf(error))
    }
    await endAttempt(db, delivery, { state: 'sent', nextAtMs: nowMs(), lastError: null })
  }

  /** An attempt ends in time even where a channel does not listen to the signal. */
  async #attempt(send: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const attempt = new AbortController()
    const { promise: overtime, reject } = Promise.withResolvers<never>()
    attempt.signal.addEventListener('abort', () =>
      reject(new DeliveryFault('the receiver did not answer in time')),
    )
    const timer = setTimeout(() => attempt.abort(), this.#parts.schedule.attemptMs)
    this.#attempts.add(attempt)
    try {
      await Promise.race([send(attempt.signal), overtime])
    } finally {
      clearTimeout(timer)
      this.#attempts.delete(attempt)
    }
  }

  async #failed(delivery: ClaimedDelivery, { message, retryAfterMs }: DeliveryFault): Promise<void> {
    const { db, schedule, nowMs, onFailure } = this.#parts
    // Cut off by closing: nobody's fault, and whoever starts next may try at once.
    if (this.#isClosed)
      return await endAttempt(db, delivery, { state: 'waiting', nextAtMs: nowMs(), lastError: message })
    const waitMs = Math.max(retryAfterMs, retryWaitMs(delivery.attemptCount, Math.random()))
    const nextAtMs = nowMs() + waitMs
    const isOver = delivery.attemptCount >= schedule.attemptMaxCount || nextAtMs >= delivery.untilMs
    if (isOver) return await this.#giveUp(delivery, message)
    await endAttempt(db, delivery, { state: 'waiting', nextAtMs, lastError: message })
    onFailure(new DeliveryFailure(delivery, false, message))
  }

  async #giveUp(delivery: ClaimedDelivery, why: string): Promise<void> {
    const { db, nowMs, onFailure } = this.#parts
    await endAttempt(db, delivery, { state: 'dead', nextAtMs: nowMs(), lastError: why })
    onFailure(new DeliveryFailure(delivery, true, why))
  }
}
