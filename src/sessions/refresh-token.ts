import type { Secret } from '../base/index.ts'
import { equalConstantTime, mac, sha256 } from '../crypto/index.ts'

/** Which token of which session. */
export interface TokenName {
  readonly sessionId: string
  /** 1 for the first of a family. */
  readonly generation: number
}

const idBytes = 16
const generationBytes = 4
const tagBytes = 32
const tokenPattern = /^[A-Za-z0-9_-]{70}$/

/**
 * Makes refresh tokens: the session, the number in its family, and a MAC over both and a salt of the session, under a
 * key of the server. A token can be made again from its row, so a client that lost the reply gets the same successor
 * without one lying anywhere; and a token that no server of ours has made names no session, whatever it says: nobody
 * can end another's session by inventing an old token of it.
 *
 * @see RFC 9700 §4.14.2; OWASP ASVS 5.0 §7.2.3, §10.4.5, §11.5.1
 */
export class RefreshTokens {
  readonly #keys: readonly Secret<Buffer>[]

  /** @param keys Derived for `refresh-token`: the current one first, then the one of the root secret before. */
  constructor(keys: readonly [Secret<Buffer>, ...Secret<Buffer>[]]) {
    this.#keys = keys
  }

  /** The token of a number. @param salt Of the session. */
  make({ sessionId, generation }: TokenName, salt: string): string {
    return tokenUnder(this.#current(), { sessionId, generation }, salt)
  }

  /** What a token says it is; `null` for a text that is no token. It proves nothing. */
  name(token: string): TokenName | null {
    if (!tokenPattern.test(token)) return null
    const bytes = Buffer.from(token, 'base64url')
    if (bytes.toString('base64url') !== token) return null
    const hex = bytes.toString('hex', 0, idBytes)
    const sessionId = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    return { sessionId, generation: bytes.readUInt32BE(idBytes) }
  }

  /** Whether a server of ours has made a token. */
  isGenuine(token: string, name: TokenName, salt: string): boolean {
    return this.#keys.some((key) => equalConstantTime(token, tokenUnder(key, name, salt)))
  }

  /** What is kept of a token. */
  hash(token: string): string {
    return sha256(token).toString('base64url')
  }

  #current(): Secret<Buffer> {
    const [key] = this.#keys
    if (key === undefined) throw new TypeError('there is a current key')
    return key
  }
}

function tokenUnder(key: Secret<Buffer>, { sessionId, generation }: TokenName, salt: string): string {
  const bytes = Buffer.alloc(idBytes + generationBytes + tagBytes)
  bytes.write(sessionId.replaceAll('-', ''), 'hex')
  bytes.writeUInt32BE(generation, idBytes)
  mac(key, `${sessionId} ${generation} ${salt}`).copy(bytes, idBytes + generationBytes)
  return bytes.toString('base64url')
}
