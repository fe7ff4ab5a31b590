import type { Secret } from '../base/index.ts'
import { openWith, sealWith } from '../crypto/index.ts'
import { Problem } from '../errors/index.ts'

/** Keeps stored replies unreadable: they hold what encrypted columns hold. */
export interface ReplySeal {
  /** @param id The reply's own; it opens under no other. */
  seal(id: string, text: string): string
  /** @throws `INTERNAL` for what it has not sealed under this id */
  open(id: string, sealed: string): string
}

/** A seal under the key derived for `idempotency`. */
export function replySeal(key: Secret<Buffer>): ReplySeal {
  return {
    seal: (id, text) => sealWith(key, Buffer.from(text), Buffer.from(id)).toString('base64url'),
    open(id, sealed) {
      const opened = openWith(key, Buffer.from(sealed, 'base64url'), Buffer.from(id))
      if (opened === null) throw new Problem('INTERNAL', 'a stored reply does not open')
      return opened.toString()
    },
  }
}
