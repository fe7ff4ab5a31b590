import type { Logger } from '../observe/index.ts'
import type { WorkerSeat } from '../workers/index.ts'
import type { IdentitySource } from './identity-source.ts'

/** How an application is started. */
export interface BootOptions {
  /** The environment to read settings from; `process.env` unless given. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Where the log goes; standard output unless given. */
  readonly logger?: Logger
  /**
   * Stands in for the tokens of accounts, in tests: `testIdentity` takes tokens for invented people.
   *
   * @throws SettingsFault in production, for `testIdentity`
   */
  readonly identity?: IdentitySource
  /** The place among several workers; `holdfast start --workers` gives it. */
  readonly worker?: WorkerSeat
}
