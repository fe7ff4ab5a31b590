import type { Plan } from '../route/index.ts'
import type { WorkerSeat } from '../workers/index.ts'

/** What the commands need of an application; `createApp` returns it. */
export interface Application {
  /**
   * What the application declares.
   *
   * @throws an error with a `report` when the boot gate refuses.
   */
  plan(): Plan | Promise<Plan>
  /** Checks the settings and puts the server together, without listening. */
  boot(options: ApplicationOptions): Promise<unknown>
  /** Boots, listens, and stops when a signal says so; as one of several workers when it is given a seat. */
  start(options?: { readonly worker: WorkerSeat }): Promise<unknown>
  /** Brings the database up to date, takes the last step back, or only looks. */
  migrate(options: MigrationOptions): Promise<MigrationReport>
}

/** What an application runs with. */
export interface ApplicationOptions {
  readonly environment: NodeJS.ProcessEnv
}

/** What to do about migrations. */
export interface MigrationOptions extends ApplicationOptions {
  readonly direction: MigrationDirection
}

/** `up` applies what is pending, `down` reverts the last step, `status` only looks. */
export type MigrationDirection = 'up' | 'down' | 'status'

/** How the database stands, by migration names, oldest first. */
export interface MigrationReport {
  /** Those in the database now. */
  readonly applied: readonly string[]
  /** Those that are not yet. */
  readonly pending: readonly string[]
  /** What this very command applied or reverted. */
  readonly done: readonly string[]
}

/** True for what `createApp` returns. */
export function isApplication(value: unknown): value is Application {
  if (typeof value !== 'object' || value === null) return false
  return ['plan', 'boot', 'start', 'migrate'].every((name) => typeof Reflect.get(value, name) === 'function')
}
