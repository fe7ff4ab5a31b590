export { singleUseMigration } from './migration.ts'
export {
  type Consumed,
  type SingleUseParts,
  type SingleUsePurpose,
  type SingleUseRequest,
  SingleUseTokens,
} from './tokens.ts'
