import { assert, Secret } from '../base/index.ts'
import { hkdf } from './hash.ts'

/** What a derived key is for. One purpose, one key: what one part makes, no other part accepts. */
export type KeyPurpose =
  /** Tokens of the test identity; never in production. */
  | 'development-identity'
  /** Cursors of paged lists. */
  | 'cursor'
  /** Names of requests that are carried out once. */
  | 'idempotency-name'
  /** Stored replies of such requests. */
  | 'idempotency-reply'
  /** Names of tokens that work once. */
  | 'single-use-name'
  /** What such tokens carry. */
  | 'single-use-data'
  | 'mail-outbox'
  | 'device-cookie'
  | 'login-attempts'
  /** Names of buckets in a store that others can read. */
  | 'limit-bucket'
  | 'refresh-token'
  /** Wraps the keys of encrypted columns. */
  | 'key-wrapping'
  /** Links the rows of the audit trail. */
  | 'audit-chain'
  /** The seed of the key that signs its checkpoints. */
  | 'audit-checkpoint'
  /** Names of what detectors count, in a store that others can read. */
  | 'detection-count'
  /** Names for addresses in events, where there is no account. */
  | 'event-pseudonym'

// A version of its own for each purpose, so that one of them can change its format without touching the others.
const infoOf: Readonly<Record<KeyPurpose, string>> = {
  'development-identity': 'holdfast/development-identity/v1',
  cursor: 'holdfast/cursor/v1',
  'idempotency-name': 'holdfast/idempotency-name/v1',
  'idempotency-reply': 'holdfast/idempotency-reply/v1',
  'single-use-name': 'holdfast/single-use-name/v1',
  'single-use-data': 'holdfast/single-use-data/v1',
  'mail-outbox': 'holdfast/mail-outbox/v1',
  'device-cookie': 'holdfast/device-cookie/v1',
  'login-attempts': 'holdfast/login-attempts/v1',
  'limit-bucket': 'holdfast/limit-bucket/v1',
  'refresh-token': 'holdfast/refresh-token/v1',
  'key-wrapping': 'holdfast/key-wrapping/v1',
  'audit-chain': 'holdfast/audit-chain/v1',
  'audit-checkpoint': 'holdfast/audit-checkpoint/v1',
  'detection-count': 'holdfast/detection-count/v1',
  'event-pseudonym': 'holdfast/event-pseudonym/v1',
}

/** Length of the root secret and of each derived key. */
const keyBytes = 32

/**
 * The key for one purpose, 32 bytes, from the root secret.
 *
 * The root is uniformly random, so HKDF needs no salt.
 *
 * @param root 32 bytes.
 * @see RFC 5869 §3.1, §3.2; OWASP ASVS 5.0 §11.2.3; CVE-2026-110864 (one secret for several purposes)
 * @example const key = deriveKey(settings.secret, 'cursor')
 */
export function deriveKey(root: Secret<Buffer>, purpose: KeyPurpose): Secret<Buffer> {
  const material = root.reveal()
  assert(material.length === keyBytes, 'the root secret has 32 bytes')
  return new Secret(hkdf({ material, salt: Buffer.alloc(0), info: infoOf[purpose], byteCount: keyBytes }))
}
