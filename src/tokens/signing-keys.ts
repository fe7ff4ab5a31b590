import { ed25519Signer, ed25519Verifier } from '../crypto/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { type KeyEncryption, KeyFault } from '../keys/index.ts'
import { insertSigningKey, readSigningKeys, type SigningKeyRecord, unwrapSeed } from './records.ts'
import { isRotationDue, rotateSigningKeys } from './rotate.ts'

/** A key that verifies. */
export interface VerifyingKey {
  readonly id: string
  /** 32 bytes. */
  readonly publicKey: Buffer
  /** Milliseconds since 1970; infinite for the newest. */
  readonly verifiesUntilMs: number
  readonly verify: (message: Uint8Array, signature: Uint8Array) => boolean
}

/** A key that signs. */
export interface ActiveKey {
  readonly id: string
  readonly sign: (message: Uint8Array) => Buffer
}

/** The signing keys of a node, kept up to date with the table. */
export interface SigningKeys {
  /** The key that signs now. @throws KeyFault when there is none */
  readonly active: ActiveKey
  /** Every key that verifies now or soon, newest first. */
  readonly verifying: readonly VerifyingKey[]
  /** Grows with each change of the keys; what was verified under an older one has to be verified again. */
  readonly generation: number
  /** Reads the table soon, at most once a second: somebody sent a token of a key that is not known here. */
  noteUnknown(): void
  /** Reads the table now. @throws UNAVAILABLE, KeyFault */
  refresh(): Promise<void>
  /** Ends the regular reading. */
  close(): void
}

/** How the keys are kept up to date. */
export interface SigningKeysOptions {
  /** How often the table is read, in milliseconds; a minute unless given. */
  readonly refreshMs?: number
  /** How old a key becomes before the next one is made, in milliseconds; 30 days unless given. */
  readonly rotateAfterMs?: number
  /** Told when a regular reading fails, for the log. */
  readonly onFailure?: (error: unknown) => void
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs?: () => number
}

const refreshEveryMs = 60_000
const unknownEveryMs = 1_000
const monthMs = 30 * 86_400_000

/**
 * Reads the signing keys, and makes the first one when there is none. Nodes that start at once agree on one.
 *
 * @param db Without row rules.
 * @throws KeyFault when a key does not open
 * @see OWASP ASVS 5.0 §9.1.2, §11.2.2, §13.3.1
 */
export async function loadSigningKeys(
  db: MigrationDatabase,
  kek: KeyEncryption,
  options: SigningKeysOptions = {},
): Promise<SigningKeys> {
  const keys = new TableSigningKeys(db, kek, options)
  await keys.refresh()
  keys.keepFresh()
  return keys
}

interface KnownKey extends VerifyingKey {
  readonly activeFromMs: number
  readonly sign: (message: Uint8Array) => Buffer
}

class TableSigningKeys implements SigningKeys {
  readonly #db: MigrationDatabase
  readonly #kek: KeyEncryption
  readonly #options: SigningKeysOptions
  readonly #nowMs: () => number
  /** Newest first. */
  #known: readonly KnownKey[] = []
  #generation = 0
  #reading: Promise<void> | undefined
  #unknownAtMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(db: MigrationDatabase, kek: KeyEncryption, options: SigningKeysOptions) {
    this.#db = db
    this.#kek = kek
    this.#options = options
    this.#nowMs = options.nowMs ?? Date.now
  }

  get active(): ActiveKey {
    const now = this.#nowMs()
    const active = this.#known.find(({ activeFromMs }) => activeFromMs <= now)
    if (active === undefined) throw new KeyFault('There is no key that signs access tokens yet. Start again.')
    return active
  }

  get verifying(): readonly VerifyingKey[] {
    const now = this.#nowMs()
    return this.#known.filter(({ verifiesUntilMs }) => verifiesUntilMs > now)
  }

  get generation(): number {
    return this.#generation
  }

  noteUnknown(): void {
    const now = this.#nowMs()
    if (this.#reading !== undefined || Math.abs(now - this.#unknownAtMs) < unknownEveryMs) return
    this.#unknownAtMs = now
    this.refresh().catch(this.#onFailure)
  }

  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  keepFresh(): void {
    const { refreshMs = refreshEveryMs } = this.#options
    this.#timer = setInterval(() => void this.refresh().catch(this.#onFailure), refreshMs)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  readonly #onFailure = (error: unknown): void => this.#options.onFailure?.(error)

  async #read(): Promise<void> {
    const now = this.#nowMs()
    let records = await readSigningKeys(this.#db)
    const [newest] = records
    if (newest === undefined) {
      await insertSigningKey(this.#db, this.#kek, { number: 1, createdAtMs: now, activeFromMs: now })
      records = await readSigningKeys(this.#db)
    } else if (isRotationDue(newest, now, this.#options.rotateAfterMs ?? monthMs)) {
      await rotateSigningKeys(this.#db, this.#kek, { nowMs: this.#nowMs })
      records = await readSigningKeys(this.#db)
    }
    const live = records.filter(({ verifiesUntilMs }) => verifiesUntilMs === null || verifiesUntilMs > now)
    const known = await Promise.all(live.map((record) => this.#keyOf(record)))
    if (fingerprint(known) !== fingerprint(this.#known)) this.#generation += 1
    this.#known = known
  }

  async #keyOf(record: SigningKeyRecord): Promise<KnownKey> {
    const { id, publicKey, activeFromMs } = record
    const verifiesUntilMs = record.verifiesUntilMs ?? Number.POSITIVE_INFINITY
    const before = this.#known.find((key) => key.id === id)
    if (before !== undefined) return { ...before, activeFromMs, verifiesUntilMs }
    const seed = await unwrapSeed(this.#kek, record)
    const sign = ed25519Signer({ seed, publicKey })
    return { id, publicKey, activeFromMs, verifiesUntilMs, sign, verify: ed25519Verifier(publicKey) }
  }
}

function fingerprint(keys: readonly KnownKey[]): string {
  return keys.map(({ id, verifiesUntilMs }) => `${id} ${verifiesUntilMs}`).join()
}
