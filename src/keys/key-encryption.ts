import { assert, Secret } from '../base/index.ts'
import { deriveKey, inOneMessage, openWith, sealWith } from '../crypto/index.ts'
import { KeyFault } from './fault.ts'

/**
 * Wraps data keys for storage: the key-encryption key. The one of {@link rootKeyEncryption} is derived from
 * HOLDFAST_SECRET; a key management service is anything with these two functions.
 *
 * To move from one to the other, write one whose `wrap` is the new and whose `unwrap` knows both by the look of
 * the text, and run `holdfast keys rotate`: it wraps every key anew.
 *
 * @see NIST SP 800-57 Part 1 §5.3.5; OWASP ASVS 5.0 §13.3.1, §13.3.3
 */
export interface KeyEncryption {
  /** Names it in messages: `aws-kms`. */
  readonly id: string
  /**
   * The text to store. It must open with the same context only.
   *
   * @param context The id of the data key: the encryption context, or additional data.
   */
  wrap(key: Secret<Buffer>, context: string): Promise<string>
  /** @throws any error when the text does not open with this context, or when the service does not answer. */
  unwrap(wrapped: string, context: string): Promise<Secret<Buffer>>
}

const version = 'hw1'
const dataKeyBytes = 32

/**
 * Key encryption under a key derived from the root secret. While the root secret is being replaced, what the one
 * before has wrapped opens too; new wrappings are always under the current one.
 *
 * @param previous HOLDFAST_SECRET_PREVIOUS
 * @see OWASP ASVS 5.0 §11.3.2, §13.3.4
 * @example rootKeyEncryption(settings.secret, settings.previousSecret)
 */
export function rootKeyEncryption(secret: Secret<Buffer>, previous: Secret<Buffer> | null): KeyEncryption {
  const current = deriveKey(secret, 'key-wrapping')
  const roots = previous === null ? [current] : [current, deriveKey(previous, 'key-wrapping')]
  return {
    id: 'root',
    async wrap(key, context) {
      assert(key.reveal().length === dataKeyBytes, 'a data key has 32 bytes')
      return `${version}.${sealWith(current, key.reveal(), boundTo(context)).toString('base64url')}`
    },
    async unwrap(wrapped, context) {
      const [head, encoded = ''] = wrapped.split('.', 2)
      const sealed = Buffer.from(encoded, 'base64url')
      for (const root of head === version ? roots : []) {
        const opened = openWith(root, sealed, boundTo(context))
        if (opened?.length === dataKeyBytes) return new Secret(opened)
      }
      throw new KeyFault(
        `The data key ${context} does not open with HOLDFAST_SECRET${previous === null ? '' : ' nor with HOLDFAST_SECRET_PREVIOUS'}. ` +
          'Set HOLDFAST_SECRET to the secret that this database was made with; if it was replaced since the last "holdfast keys rotate", set the one before as HOLDFAST_SECRET_PREVIOUS.',
      )
    },
  }
}

function boundTo(context: string): Buffer {
  return inOneMessage(version, context)
}
