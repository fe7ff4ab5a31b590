/** What the process exits with. */
export const exitCodes: Readonly<Record<'fine' | 'findings' | 'usage' | 'configuration', number>> = {
  fine: 0,
  /** Something was found: a plan that differs, a migration that is pending. Also an unforeseen failure. */
  findings: 1,
  usage: 2,
  /** EX_CONFIG: the settings, the application or its gate refuse. */
  configuration: 78,
}

/** The command line was written wrongly. */
export class UsageFault extends Error {
  /** The command it is about; `undefined` before one was known. */
  readonly command: string | undefined

  constructor(message: string, command?: string) {
    super(message)
    this.name = 'UsageFault'
    this.command = command
  }
}

/** There is no application, or none that can be used. */
export class ApplicationFault extends Error {
  /** The whole text for a terminal. */
  readonly report: string

  constructor(report: string, cause?: unknown) {
    super(report, { cause })
    this.name = 'ApplicationFault'
    this.report = report
  }
}
