/** The exit code of a process that was configured wrongly: EX_CONFIG of sysexits.h. */
export const configurationExitCode = 78

/** One thing that is wrong with the environment. It never holds a value. */
export interface Fault {
  /** The variable it is about: `PUBLIC_ORIGIN`. */
  readonly env: string
  /** What is wrong, as the end of a sentence that starts with the variable. */
  readonly problem: string
  /** What to do about it. */
  readonly fix: string
}

/**
 * The environment is refused. Holds every fault, so that one start shows all there is to mend.
 *
 * @see OWASP ASVS 5.0 §16.2.5 (values are never printed: any of them may be a secret in the wrong place)
 */
export class SettingsFault extends Error {
  readonly faults: readonly Fault[]
  /** The faults as a text for a terminal. */
  readonly report: string
  /** What the process exits with. */
  readonly exitCode: number = configurationExitCode

  constructor(faults: readonly Fault[]) {
    const report = reportOf(faults)
    super(report)
    this.name = 'SettingsFault'
    this.faults = faults
    this.report = report
  }
}

function reportOf(faults: readonly Fault[]): string {
  const count = faults.length === 1 ? '1 setting needs' : `${faults.length} settings need`
  const parts = faults.map(({ env, problem, fix }) => `  ${env} ${problem}\n    fix: ${fix}`)
  return `The server does not start: ${count} a look.\n\n${parts.join('\n\n')}\n\nAll settings: holdfast env\n`
}
