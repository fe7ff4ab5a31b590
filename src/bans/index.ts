export {
  type Ban,
  BanFault,
  type BanFaultKind,
  type BanOrder,
  type BanTarget,
  type BanTargetKind,
  type BanTerms,
} from './ban.ts'
export { BanIndex } from './ban-index.ts'
export {
  type BanChoice,
  type BanLifting,
  type BanPage,
  type BanSearch,
  type Bans,
  choiceOf,
  TableBans,
} from './bans.ts'
export { type BanFollower, followBans } from './follow.ts'
export { bansMigration } from './migration.ts'
export { neverBanned } from './never-banned.ts'
export type { BanRecord } from './records.ts'
