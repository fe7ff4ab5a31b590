export type { DetectionMode, SyslogTarget } from './alert-table.ts'
export { configurationExitCode, type Fault, SettingsFault } from './fault.ts'
export { type LoadOptions, loadSettings } from './load.ts'
export { nearest } from './nearest.ts'
export type { Environment } from './reader.ts'
export {
  environmentReference,
  type ReferenceFormat,
  type SettingSummary,
  settingsPlan,
  withEnvironmentTable,
} from './reference.ts'
export type { AlertTargets } from './resolve-alerts.ts'
export type { Setting } from './setting.ts'
export type { MailTarget, Settings, TlsPaths } from './settings.ts'
export type { LogLevel, Mode } from './table.ts'
export type { SqliteTarget } from './targets.ts'
