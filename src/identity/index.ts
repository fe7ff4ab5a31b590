export { bearerMaxChars, parseBearer } from './bearer.ts'
export {
  type DevelopmentPerson,
  developmentIdentity,
  developmentToken,
  developmentUserId,
} from './development.ts'
export type { Identify, IdentityHeaders } from './identify.ts'
