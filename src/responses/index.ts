export {
  type AccountActions,
  type BanActionParts,
  type BanActions,
  banActions,
  type ResponseActions,
  withoutAccounts,
} from './actions.ts'
export { responsesMigration } from './migration.ts'
export {
  type DetectorResponseOptions,
  type ResponseDurations,
  type ResponseMode,
  type ResponseOptionFault,
  type ResponseOptions,
  responseOptionFaults,
} from './options.ts'
export {
  type AppliedResponse,
  type HeldResponse,
  type RefusalReason,
  ResponseFault,
  ResponseRefusal,
  type ResponseTargetKind,
  type TimedResponse,
} from './response.ts'
export {
  openResponses,
  type ResponsePage,
  type ResponseSearch,
  type Responses,
  type ResponsesOpening,
} from './responses.ts'
export type { ResponseTransaction } from './transaction.ts'
export type { UndoOrder } from './undo.ts'
