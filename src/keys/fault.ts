/** The keys cannot be used. The message says what to do, and never holds a key. */
export class KeyFault extends Error {
  /** The same as the message; every refusal to start has one. */
  readonly report: string

  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'KeyFault'
    this.report = `${message}\n`
  }
}
