export {
  type Alert,
  type AlertAct,
  AlertFault,
  type AlertFaultKind,
  type AlertNews,
  type AlertSamples,
  type AlertState,
} from './alert.ts'
export {
  type AlertPage,
  type Alerts,
  type AlertsParts,
  defaultRules,
  type OpenAlerts,
  openAlerts,
} from './alerts.ts'
export type { AlertChannel, AlertMessage } from './channels/channel.ts'
export { alertChannels, type ChannelParts, type ChannelTargets } from './channels/index.ts'
export type { AlertLetter } from './channels/mail.ts'
export { type AlertCounts, alertCounts } from './counts.ts'
export type { AlertDelivery, DeliveryState } from './deliveries.ts'
export type { GroupRules } from './group.ts'
export type { IsShared } from './keys.ts'
export { alertsMigration } from './migration.ts'
export type { AlertSearch } from './records.ts'
export { type DeliverySchedule, defaultSchedule } from './schedule.ts'
export { DeliveryFailure } from './worker.ts'
