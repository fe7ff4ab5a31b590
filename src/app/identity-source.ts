import type { CredentialHeaders } from '../http/index.ts'
import type { Principal } from '../route/index.ts'
import type { Settings } from '../settings/index.ts'

/** Who the headers of a request prove its sender to be; `null` without a valid credential. */
export type Identify = (headers: CredentialHeaders) => Principal | null | Promise<Principal | null>

/** Makes the identity check once the settings are known. */
export type IdentitySource = (settings: Settings) => Identify
