import type { Principal } from '../route/index.ts'

/** The request headers that may hold a credential; it is read from nowhere else, and never from the URL. */
export interface IdentityHeaders {
  readonly authorization?: string | undefined
  readonly cookie?: string | undefined
}

/** Who the headers of a request prove its sender to be; `null` without a valid credential. */
export type Identify = (headers: IdentityHeaders) => Principal | null | Promise<Principal | null>
