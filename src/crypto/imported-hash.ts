import { pbkdf2, scrypt } from 'node:crypto'
import { equalConstantTime } from './hash.ts'

/** The kinds of hash that other systems leave behind. */
export type ImportedKind = 'bcrypt' | 'scrypt' | 'pbkdf2'

/** A hash from elsewhere, read. */
interface Imported {
  readonly kind: ImportedKind
  readonly isRight: (password: string) => Promise<boolean>
}

type Reader = (text: string) => Imported | undefined

// bcrypt reads 72 bytes and stops at a zero byte: a longer password would match by its beginning.
const bcryptMaxBytes = 72
const bcryptMaxCost = 15
const scryptMaxBytes = 256 * 1024 * 1024
const pbkdf2MaxRounds = 5_000_000
const laneMaxCount = 16

const readers: readonly Reader[] = [
  (text) => {
    const match = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text)
    const cost = Number(match?.[1])
    if (match === null || cost < 4 || cost > bcryptMaxCost) return undefined
    return {
      kind: 'bcrypt',
      isRight: async (password) =>
        Buffer.byteLength(password) <= bcryptMaxBytes &&
        !password.includes('\0') &&
        (await (await import('@node-rs/bcrypt')).verify(password, text)),
    }
  },
  // PHC, as passlib and others write it: ln is the exponent of N.
  (text) => {
    const pattern = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/.]{8,88})\$([\w+/.]{22,88})$/
    const [, ln, r, p, salt = '', hash] = pattern.exec(text) ?? []
    if (hash === undefined) return undefined
    const cost = { n: 2 ** Number(ln), r: Number(r), p: Number(p) }
    return scryptHash(cost, base64(salt), base64(hash))
  },
  // Werkzeug's.
  (text) => {
    const pattern = /^scrypt:(\d{3,7}):(\d{1,2}):(\d{1,2})\$([A-Za-z0-9]{8,64})\$([0-9a-f]{64,256})$/
    const [, n, r, p, salt = '', hash] = pattern.exec(text) ?? []
    if (hash === undefined) return undefined
    return scryptHash(
      { n: Number(n), r: Number(r), p: Number(p) },
      Buffer.from(salt),
      Buffer.from(hash, 'hex'),
    )
  },
  // Django's.
  (text) => {
    const pattern = /^pbkdf2_sha256\$(\d{3,7})\$([A-Za-z0-9]{8,64})\$([A-Za-z0-9+/]{43}=)$/
    const [, rounds, salt = '', hash] = pattern.exec(text) ?? []
    if (hash === undefined) return undefined
    return pbkdf2Hash('sha256', Number(rounds), Buffer.from(salt), Buffer.from(hash, 'base64'))
  },
  // PHC, and passlib's, which writes a full stop for the plus sign.
  (text) => {
    const pattern = /^\$pbkdf2-(sha256|sha512)\$(?:i=)?(\d{3,7})\$([\w+/.]{8,88})\$([\w+/.]{22,88})$/
    const [, digest = '', rounds, salt = '', hash] = pattern.exec(text) ?? []
    if (hash === undefined) return undefined
    return pbkdf2Hash(digest, Number(rounds), base64(salt), base64(hash))
  },
]

/** The kind of a hash from elsewhere; `undefined` for a text that is none, or whose cost is out of bounds. */
export function importedKind(text: string): ImportedKind | undefined {
  return read(text)?.kind
}

/** Holds a password against a hash from elsewhere. False for a text that is none, and for one that cannot be checked. */
export async function verifyImported(password: string, text: string): Promise<boolean> {
  try {
    return (await read(text)?.isRight(password)) ?? false
  } catch {
    return false
  }
}

function read(text: string): Imported | undefined {
  for (const reader of readers) {
    const found = reader(text)
    if (found !== undefined) return found
  }
  return undefined
}

function scryptHash(
  { n, r, p }: { readonly n: number; readonly r: number; readonly p: number },
  salt: Buffer,
  hash: Buffer,
): Imported | undefined {
  const isBounded = n > 1 && (n & (n - 1)) === 0 && r > 0 && p > 0 && p <= laneMaxCount
  if (!isBounded || 128 * n * r > scryptMaxBytes) return undefined
  return {
    kind: 'scrypt',
    isRight: (password) =>
      new Promise((resolve, reject) => {
        // The bound is on top of what the work itself needs.
        const options = { N: n, r, p, maxmem: 2 * scryptMaxBytes }
        scrypt(password, salt, hash.length, options, (error, made) =>
          error === null ? resolve(equalConstantTime(made, hash)) : reject(error),
        )
      }),
  }
}

function pbkdf2Hash(digest: string, rounds: number, salt: Buffer, hash: Buffer): Imported | undefined {
  if (rounds < 1 || rounds > pbkdf2MaxRounds) return undefined
  return {
    kind: 'pbkdf2',
    isRight: (password) =>
      new Promise((resolve, reject) => {
        pbkdf2(password, salt, rounds, hash.length, digest, (error, made) =>
          error === null ? resolve(equalConstantTime(made, hash)) : reject(error),
        )
      }),
  }
}

function base64(text: string): Buffer {
  return Buffer.from(text.replaceAll('.', '+'), 'base64')
}
