export { type AskParent, requireInsertable } from './new-row.ts'
export {
  refusal,
  requireColumns,
  requirePlain,
  stampedInsert,
  type UpdateStamps,
  updateStamps,
  type Values,
} from './stamps.ts'
