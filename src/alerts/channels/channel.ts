import type { Alert, AlertNews } from '../alert.ts'

/** What a channel is to tell. */
export interface AlertMessage {
  /** The id of the delivery: the same at each attempt. */
  readonly id: string
  readonly news: AlertNews
  /** The alert as it is now. */
  readonly alert: Alert
  /** When it is sent, in milliseconds since 1970. */
  readonly nowMs: number
}

/** A way to people. */
export interface AlertChannel {
  /** What it is called in the table: `webhook`. */
  readonly name: string
  /** What it wants to hear of. */
  readonly news: readonly AlertNews[]
  /**
   * Tells it. An attempt ends when the signal says so.
   *
   * @throws DeliveryFault when the receiver has not taken it
   */
  send(message: AlertMessage, signal: AbortSignal): Promise<void>
}

/** Everything that there is to tell. */
export const allNews: readonly AlertNews[] = ['opened', 'grown', 'acknowledged', 'closed']
