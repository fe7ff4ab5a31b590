import { assert, type Secret } from '../base/index.ts'
import { type Argon2Cost, argon2Hash, argon2Verify } from './argon2-pool.ts'
import { sha256 } from './hash.ts'
import { importedKind, verifyImported } from './imported-hash.ts'

/** Keys that are hashed along with each password, and lie somewhere else than the hashes. */
export interface Peppers {
  readonly current: Secret<Buffer>
  /** Earlier ones: hashes under them verify, and are upgraded. */
  readonly previous?: readonly Secret<Buffer>[]
}

/** What a stored hash says about a password. */
export interface HashVerdict {
  readonly isRight: boolean
  /** True when the hash should be replaced by one of today's kind and cost. */
  readonly isOutdated: boolean
}

/**
 * The least that is used, and the least that counts as up to date.
 *
 * @see OWASP Password Storage Cheat Sheet (argon2id m=19456, t=2, p=1); OWASP ASVS 5.0 §11.4.2
 */
export const argon2Floor: Argon2Cost = { memoryKib: 19_456, passCount: 2, laneCount: 1 }

// A stored hash decides what verifying it costs, so one that would take the server down is no hash.
const memoryMaxKib = 1_048_576
const passMaxCount = 64
const laneMaxCount = 16
const pepperMinBytes = 32
const peppered = /^\{p:([0-9a-f]{8})\}(\$argon2id\$.+)$/

/**
 * Hashes a password: argon2id under a random salt, in PHC form. Runs on a thread of its own.
 *
 * @param password In NFC.
 * @see RFC 9106; OWASP ASVS 5.0 §11.4.2, §6.2.8
 * @example await hashPassword('violet anchors hum softly', argon2Floor) // '$argon2id$v=19$m=19456,t=2,p=1$…'
 */
export async function hashPassword(password: string, cost: Argon2Cost, peppers?: Peppers): Promise<string> {
  const secret = peppers?.current.reveal()
  assert(secret === undefined || secret.length >= pepperMinBytes, 'a pepper has at least 32 bytes')
  const phc = await argon2Hash(password, cost, secret)
  return peppers === undefined ? phc : `{p:${pepperId(peppers.current)}}${phc}`
}

/**
 * Holds a password against a stored hash: ours, or one imported from bcrypt, scrypt or PBKDF2.
 *
 * @returns not right for a text that is no hash, or whose cost is out of bounds; it does not throw for those
 * @see CVE-2025-25298 (a hash of 72 bytes that took any longer password)
 */
export async function verifyPassword(
  password: string,
  stored: string,
  cost: Argon2Cost,
  peppers?: Peppers,
): Promise<HashVerdict> {
  const [, id, inner] = peppered.exec(stored) ?? []
  const phc = inner ?? stored
  if (!phc.startsWith('$argon2id$')) {
    return { isRight: await verifyImported(password, phc), isOutdated: true }
  }
  const found = costOf(phc)
  const pepper = id === undefined ? undefined : pepperOf(id, peppers)
  if (found === null || (id !== undefined && pepper === undefined))
    return { isRight: false, isOutdated: false }
  const secret = pepper?.reveal()
  const isRight = await argon2Verify(phc, password, secret)
  const wanted = peppers === undefined ? undefined : pepperId(peppers.current)
  return { isRight, isOutdated: id !== wanted || isWeaker(found, cost) }
}

/** Whether a text is a hash that {@link verifyPassword} knows and takes. */
export function isKnownHash(text: string): boolean {
  if (text.startsWith('$argon2id$')) return costOf(text) !== null
  return importedKind(text) !== undefined
}

// Read here and not by the library: that is loaded on the threads that hash, and not before somebody logs in.
const phcForm =
  /^\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,171}$/

function costOf(phc: string): Argon2Cost | null {
  const [memoryKib = 0, passCount = 0, laneCount = 0] = (phcForm.exec(phc) ?? []).slice(1).map(Number)
  const isBounded = memoryKib <= memoryMaxKib && passCount <= passMaxCount && laneCount <= laneMaxCount
  return isBounded && memoryKib > 0 && passCount > 0 && laneCount > 0
    ? { memoryKib, passCount, laneCount }
    : null
}

function isWeaker(found: Argon2Cost, wanted: Argon2Cost): boolean {
  return found.memoryKib * found.passCount < wanted.memoryKib * wanted.passCount
}

function pepperOf(id: string, peppers: Peppers | undefined): Secret<Buffer> | undefined {
  if (peppers === undefined) return undefined
  return [peppers.current, ...(peppers.previous ?? [])].find((pepper) => pepperId(pepper) === id)
}

/** Names a pepper; tells nothing of it that helps to find it. */
function pepperId(pepper: Secret<Buffer>): string {
  return sha256(Buffer.concat([Buffer.from('holdfast pepper id '), pepper.reveal()])).toString('hex', 0, 4)
}
