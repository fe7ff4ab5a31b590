import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { assert, type Secret } from '../base/index.ts'

const algorithm = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/**
 * Encrypts and authenticates: AES-256-GCM under a nonce that is made here and used once.
 *
 * One key may seal 2^32 messages; past that, random nonces could meet. Give each row or purpose a key of its own.
 *
 * @param key 32 bytes.
 * @param additionalData Authenticated, not encrypted: where the message belongs. It has to be given again to open it.
 * @returns nonce, ciphertext and tag, one after the other.
 * @see NIST SP 800-38D §8.3; OWASP ASVS 5.0 §11.3.2, §11.3.3, §11.3.4
 */
export function sealWith(key: Secret<Buffer>, plaintext: Uint8Array, additionalData: Uint8Array): Buffer {
  const material = key.reveal()
  assert(material.length === keyBytes, 'a sealing key has 32 bytes')
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, material, nonce, { authTagLength: tagBytes })
  cipher.setAAD(additionalData)
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/**
 * Opens what {@link sealWith} has sealed.
 *
 * @returns `null` for anything else: another key, other additional data, a changed or shortened text.
 */
export function openWith(key: Secret<Buffer>, sealed: Uint8Array, additionalData: Uint8Array): Buffer | null {
  const material = key.reveal()
  assert(material.length === keyBytes, 'a sealing key has 32 bytes')
  if (sealed.length < nonceBytes + tagBytes) return null
  const end = sealed.length - tagBytes
  const decipher = createDecipheriv(algorithm, material, sealed.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
  decipher.setAAD(additionalData)
  decipher.setAuthTag(sealed.subarray(end))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, end)), decipher.final()])
  } catch {
    return null
  }
}
