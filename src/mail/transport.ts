import type { RenderedMail } from './letter.ts'

/** Where mails go. */
export interface MailTransport {
  /**
   * Sends one mail.
   *
   * @param signal When it aborts, the attempt has to end at once.
   * @throws MailRefused when trying again is of no use; any other error when it may be
   */
  send(mail: RenderedMail, signal: AbortSignal): Promise<void>
  /** Ends the connections; what is being sent fails. */
  close(): void
}

/** A mail that will never be taken: no such mailbox, no address at all, not this text. */
export class MailRefused extends Error {
  constructor(cause: unknown) {
    super('this mail will never be taken', { cause })
    this.name = 'MailRefused'
  }
}
