/** One reason why an application may not boot. */
export interface Violation {
  /** The rule, stable: `route.access-missing`. */
  readonly rule: GateRule
  /** The route, resource or plugin it is about: `GET /api/notes/:id`. */
  readonly subject: string
  /** Where that was declared: `app/notes.ts:12`. */
  readonly source: string
  /** What is wrong. */
  readonly fault: string
  /** What to write instead. */
  readonly fix: string
}

/** The rules of the boot gate. A retired id is never used again. */
export type GateRule =
  | 'route.not-a-route'
  | 'route.address'
  | 'route.unknown-member'
  | 'route.access-missing'
  | 'route.limit-missing'
  | 'route.limit-unknown'
  | 'route.limit-uncounted'
  | 'route.cost-invalid'
  | 'route.params-missing'
  | 'route.params-mismatch'
  | 'route.input-undeclared'
  | 'route.body-on-get'
  | 'route.output-missing'
  | 'route.idempotency'
  | 'route.duplicate'
  | 'route.shadowed'
  | 'access.reason-missing'
  | 'access.unknown-role'
  | 'access.unknown-resource'
  | 'access.two-resources'
  | 'access.owns-on-plugin'
  | 'schema.not-json-schema'
  | 'schema.open-node'
  | 'schema.unbounded-string'
  | 'schema.unbounded-array'
  | 'schema.undeclared-keys'
  | 'schema.unsupported'
  | 'schema.server-column'
  | 'schema.secret-column'
  | 'resource.owner-missing'
  | 'resource.reason-missing'
  | 'resource.unknown-column'
  | 'resource.unknown-table'
  | 'resource.unknown-role'
  | 'resource.rule-invalid'
  | 'resource.grant-unreadable'
  | 'resource.contradiction'
  | 'resource.duplicate'
  | 'resource.schema'
  | 'limit.invalid'
  | 'accounts.option'
  | 'detection.option'
  | 'plugin.unadopted'
  | 'plugin.reason-missing'

/**
 * The application is refused: it declares something that would be open by accident. Holds every violation,
 * so that one start shows all there is to mend.
 */
export class BootError extends Error {
  readonly violations: readonly Violation[]
  /** The violations as a text for a terminal. */
  readonly report: string

  constructor(violations: readonly Violation[]) {
    const report = reportOf(violations)
    super(report)
    this.name = 'BootError'
    this.violations = violations
    this.report = report
  }
}

function reportOf(violations: readonly Violation[]): string {
  const count = violations.length === 1 ? '1 thing' : `${violations.length} things`
  const parts = violations.map(
    ({ rule, subject, source, fault, fix }) =>
      `  ${subject}  (${source})\n    ${rule}: ${fault}\n    write: ${fix.replaceAll('\n', '\n           ')}`,
  )
  return `The application does not boot: ${count} would be open by accident.\n\n${parts.join('\n\n')}\n`
}
