/** A database that could not be opened. The message says what to do. */
export class DatabaseFault extends Error {
  /** The same as the message; every refusal to start has one. */
  readonly report: string

  constructor(message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'DatabaseFault'
    this.report = `${message}\n`
  }
}
