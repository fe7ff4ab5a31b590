import type { AlertChannel, AlertMessage } from './channel.ts'
import { factsOf } from './facts.ts'

/** What a mail about an alert says. The texts are plain words: nothing in them becomes a link or another header. */
export interface AlertLetter {
  readonly subject: string
  readonly lines: readonly string[]
}

/** What mails are sent with. */
export interface MailParts {
  readonly to: readonly string[]
  /** Notes the mails in the outbox, all or none of them. */
  readonly sendMail: (to: readonly string[], letter: AlertLetter) => Promise<void>
}

/**
 * Mails by way of the outbox: a delivery has been made once its mails stand there, and what comes then is up to the
 * outbox. Nobody is mailed that somebody has acknowledged something.
 */
export function mailChannel({ to, sendMail }: MailParts): AlertChannel {
  return {
    name: 'mail',
    news: ['opened', 'grown', 'closed'],
    send: (message) => sendMail(to, alertLetter(message)),
  }
}

/** What a mail about an alert says. */
export function alertLetter(message: AlertMessage): AlertLetter {
  const { headline, summary, lines } = factsOf(message)
  return {
    subject: headline,
    lines: [summary, ...lines.map(([name, value]) => `${name}: ${value}`)].filter((line) => line !== ''),
  }
}
