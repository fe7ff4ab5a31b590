import { assert, Secret } from '../base/index.ts'
import { Problem } from '../errors/index.ts'
import { hkdf, mac, sha256 } from './hash.ts'
import { inOneMessage } from './message.ts'
import { openWith, sealWith } from './seal.ts'

/** A key for encrypted columns. */
export interface DataKey {
  /** Eight of `a` to `z` and `0` to `9`; it stands in every text that the key has sealed. */
  readonly id: string
  /** 32 random bytes. */
  readonly key: Secret<Buffer>
}

/** The keys that are alive. */
export interface KeyRing {
  /** The one that seals. */
  readonly active: DataKey
  /** Every key that opens, the active one first. */
  readonly keys: readonly DataKey[]
  byId(id: string): DataKey | undefined
}

/** Where an encrypted value stands. Its text opens nowhere else. */
export interface Place {
  readonly table: string
  readonly column: string
  /** The row's key as a text. */
  readonly row: string
}

/** What an encrypted column can hold. */
export type FieldValue = string | number | boolean

const version = 'hf1'
const rowKeyPurpose = 'holdfast/field/v1'
const indexKeyPurpose = 'holdfast/blind-index/v1'
const keyBytes = 32
// 128 bits: two values of one column share an index once in 2^64 of them, and nothing can be computed back.
const indexBytes = 16

const sealedText = /^hf1\.([a-z0-9]{8})\.([A-Za-z0-9_-]+)$/

/**
 * The text that stands in the database for a value of an encrypted column: `hf1.<key id>.<base64url>`, where the
 * last part is nonce, ciphertext and tag of AES-256-GCM.
 *
 * Each cell has a key of its own, derived from the data key and the place: 2^32 changes of one cell are allowed
 * under one data key, where one key for all would be used up by 2^32 cells. Version, key id and place are
 * authenticated too, so a text that is moved to another row, column or table does not open.
 *
 * @throws `INTERNAL` for a value that JSON cannot hold: a number that is not finite.
 * @see NIST SP 800-38D §8.3; RFC 5869 §3.2; OWASP ASVS 5.0 §11.3.2, §11.3.3, §11.3.4, §11.2.2
 * @example sealField(ring, { table: 'patients', column: 'name', row: patient.id }, 'Ada')
 */
export function sealField({ active }: KeyRing, place: Place, value: FieldValue): string {
  const plaintext = Buffer.from(jsonOf(place, value))
  const sealed = sealWith(cellKey(active, place), plaintext, additionalData(active.id, place))
  return `${version}.${active.id}.${sealed.toString('base64url')}`
}

/**
 * The value of a text that {@link sealField} has made for this very place.
 *
 * @throws `INTERNAL`, whose reason names the table and the column and never the value, for a key that is not in the
 * ring, for a text that does not open here, and for what is no such text at all.
 */
export function openField(ring: KeyRing, place: Place, text: string): FieldValue {
  const [, id = '', encoded = ''] = sealedText.exec(text) ?? []
  if (id === '') throw refusal(place, 'is not in the format of an encrypted value')
  const key = ring.byId(id)
  if (key === undefined)
    throw refusal(place, `was sealed under the key ${id}, which is not among the live ones`)
  const sealed = Buffer.from(encoded, 'base64url')
  // Node's decoder skips spare bits; only the one canonical spelling is a sealed value.
  if (sealed.toString('base64url') !== encoded)
    throw refusal(place, 'is not in the format of an encrypted value')
  const plaintext = openWith(cellKey(key, place), sealed, additionalData(id, place))
  if (plaintext === null)
    throw refusal(place, `does not open under the key ${id}: it was changed, or belongs to another place`)
  const value: unknown = JSON.parse(plaintext.toString())
  assert(isFieldValue(value), 'only field values are sealed')
  return value
}

/** The id of the key under which a text was sealed; `null` for what is no sealed text. */
export function keyIdOf(text: string): string | null {
  return sealedText.exec(text)?.[1] ?? null
}

/** What every text begins with that was sealed under a key. Holds no wildcard of `LIKE`. */
export function sealedPrefix(keyId: string): string {
  return `${version}.${keyId}.`
}

/**
 * What stands beside an encrypted value so that it can be found by equality: `<key id>.<base64url>`, where the last
 * part is an HMAC-SHA-256, cut to 16 bytes, under a key that is derived for this column alone.
 *
 * Equality is exact: of each code unit, without case folding and without Unicode normalisation, and `1` is not
 * `'1'`. `é` as one character and as two are two values. Whatever counts as the same has to be made the same before
 * it gets here, in the schema.
 *
 * Whoever reads the database learns which rows hold the same value, and nothing more; with the key as well, a
 * column of few possible values can be tried through.
 *
 * @see RFC 2104 §5 (truncation); OWASP ASVS 5.0 §11.2.3
 */
export function blindIndex(dataKey: DataKey, table: string, column: string, value: FieldValue): string {
  const key = new Secret(derived(dataKey.key, inOneMessage(indexKeyPurpose, table, column)))
  // As JSON, text and numbers differ, and unpaired surrogates are told apart, which in UTF-8 become one.
  const digest = mac(key, jsonOf({ table, column }, value)).subarray(0, indexBytes)
  return `${dataKey.id}.${digest.toString('base64url')}`
}

/** The blind indexes of a value under every live key, that of the active one first: for lookups during a rotation. */
export function blindIndexes(ring: KeyRing, table: string, column: string, value: FieldValue): string[] {
  return ring.keys.map((key) => blindIndex(key, table, column, value))
}

/** What every blind index begins with that was made under a key. Holds no wildcard of `LIKE`. */
export function blindIndexPrefix(keyId: string): string {
  return `${keyId}.`
}

/** True for what an encrypted column can hold. */
export function isFieldValue(value: unknown): value is FieldValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function jsonOf(place: Pick<Place, 'table' | 'column'>, value: FieldValue): string {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw refusal(place, 'holds text, finite numbers and booleans')
  return JSON.stringify(value)
}

function cellKey({ key }: DataKey, { table, column, row }: Place): Secret<Buffer> {
  return new Secret(derived(key, inOneMessage(rowKeyPurpose, table, column, row)))
}

function derived(key: Secret<Buffer>, info: Uint8Array): Buffer {
  const material = key.reveal()
  assert(material.length === keyBytes, 'a data key has 32 bytes')
  // The data key is uniformly random, so HKDF needs no salt (RFC 5869 §3.1). OpenSSL takes at most 1,024 bytes of
  // info, and the key of a row can be longer: its digest stands for it.
  return hkdf({ material, salt: Buffer.alloc(0), info: sha256(info), byteCount: keyBytes })
}

function additionalData(keyId: string, { table, column, row }: Place): Buffer {
  return inOneMessage(version, keyId, table, column, row)
}

function refusal({ table, column }: Pick<Place, 'table' | 'column'>, reason: string): Problem {
  return new Problem('INTERNAL', `"${table}.${column}" ${reason}`)
}
