import type { GateRule, Violation } from './violation.ts'

/** Collects the violations of one route, resource or plugin. */
export class Subject {
  readonly violations: Violation[] = []
  readonly #name: string
  readonly #source: string

  constructor(name: string, source: string) {
    this.#name = name
    this.#source = source
  }

  /** Notes one violation. */
  refuse(rule: GateRule, fault: string, fix: string): void {
    this.violations.push({ rule, subject: this.#name, source: this.#source, fault, fix })
  }
}
