import { deriveKey } from '../crypto/index.ts'
import {
  type DevelopmentPerson,
  developmentIdentity,
  developmentToken,
  type Identify,
} from '../identity/index.ts'
import type { Settings } from '../settings/index.ts'

/** Makes the identity check once the settings are known. */
export type IdentitySource = (settings: Settings) => Identify

/**
 * The test identity of development: tokens for invented people, made from the root secret.
 *
 * @throws SettingsFault in production.
 */
export const testIdentity: IdentitySource = ({ secret, mode }) =>
  developmentIdentity(deriveKey(secret, 'development-identity'), mode)

/**
 * A token for an invented person, which the test identity of the same settings accepts.
 *
 * @example fetch(url, { headers: { authorization: `Bearer ${testToken(server.settings, { name: 'ann', roles: [] })}` } })
 */
export function testToken({ secret }: Settings, person: DevelopmentPerson): string {
  return developmentToken(deriveKey(secret, 'development-identity'), person)
}
