/** A file that cannot be imported at all: it is in another form than it should be. */
export class ImportFault extends Error {
  /** The whole text for a terminal. */
  readonly report: string

  constructor(message: string) {
    super(message)
    this.name = 'ImportFault'
    this.report = `${message}\n`
  }
}
