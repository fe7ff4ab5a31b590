import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rootSecret } from '../../test/kit/signing.ts'
import { sha256 } from './hash.ts'
import { argon2Floor, hashPassword, isKnownHash, verifyPassword } from './password-hash.ts'

const password = 'violet anchors hum softly'
const tiny = { memoryKib: 64, passCount: 1, laneCount: 1 }
const folder = new URL('../../test/vectors/', import.meta.url)
const Vectors = z.object({ encoded: z.array(z.object({ password: z.string(), encoded: z.string() })) })

describe('argon2id', () => {
  it('V11.4.2 verifies what its authors have published', async () => {
    const bytes = readFileSync(new URL('argon2id.json', folder))
    expect(readFileSync(new URL('README.md', folder), 'utf8')).toContain(sha256(bytes).toString('hex'))
    const { encoded } = Vectors.parse(JSON.parse(bytes.toString()))
    expect(encoded.length).toBeGreaterThan(5)
    for (const vector of encoded) {
      expect((await verifyPassword(vector.password, vector.encoded, tiny)).isRight, vector.encoded).toBe(true)
      expect((await verifyPassword(`${vector.password}x`, vector.encoded, tiny)).isRight).toBe(false)
    }
  })

  it('V11.4.2 is made with the floor or more, and a salt of its own', async () => {
    expect(argon2Floor).toEqual({ memoryKib: 19_456, passCount: 2, laneCount: 1 })
    const one = await hashPassword(password, argon2Floor)
    const two = await hashPassword(password, argon2Floor)
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22,}\$[\w+/]{43}$/)
    expect(one).not.toBe(two)
    expect(await verifyPassword(password, one, argon2Floor)).toEqual({ isRight: true, isOutdated: false })
  })

  it('V6.2.8 is over the whole password, letter by letter', async () => {
    const long = `${'a'.repeat(250)} end`
    const stored = await hashPassword(long, tiny)
    for (const other of [
      long.slice(0, -1),
      `${long} `,
      long.toUpperCase(),
      `${'a'.repeat(250)} enb`,
      ` ${long}`,
    ])
      expect((await verifyPassword(other, stored, tiny)).isRight).toBe(false)
    const zero = await hashPassword('before\u0000after the zero', tiny)
    expect((await verifyPassword('before', zero, tiny)).isRight).toBe(false)
    expect((await verifyPassword('before\u0000after the zerO', zero, tiny)).isRight).toBe(false)
  })

  it('V11.4.2 of a smaller cost is outdated', async () => {
    const stored = await hashPassword(password, tiny)
    expect(await verifyPassword(password, stored, argon2Floor)).toEqual({ isRight: true, isOutdated: true })
  })

  it('V13.3.1 is nothing without the pepper that it was made with', async () => {
    const current = rootSecret(1)
    const old = rootSecret(2)
    const stored = await hashPassword(password, tiny, { current: old })
    expect(stored).toMatch(/^\{p:[0-9a-f]{8}\}\$argon2id\$/)
    expect(stored).not.toContain(old.reveal().toString('hex').slice(0, 8))
    expect(await verifyPassword(password, stored, tiny, { current: old })).toEqual({
      isRight: true,
      isOutdated: false,
    })
    expect(await verifyPassword(password, stored, tiny, { current, previous: [old] })).toEqual({
      isRight: true,
      isOutdated: true,
    })
    for (const peppers of [undefined, { current }])
      expect((await verifyPassword(password, stored, tiny, peppers)).isRight).toBe(false)
    const bare = stored.slice(stored.indexOf('$'))
    expect((await verifyPassword(password, bare, tiny, { current: old })).isRight).toBe(false)
    // A hash of before there was a pepper verifies, and is upgraded.
    const plain = await hashPassword(password, tiny)
    expect(await verifyPassword(password, plain, tiny, { current })).toEqual({
      isRight: true,
      isOutdated: true,
    })
  })

  it('V15.2.2 is refused unread when verifying it would cost too much', async () => {
    const dear = [
      '$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
      '$argon2id$v=19$m=65536,t=4000000,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
      '$argon2id$v=19$m=65536,t=2,p=255$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
      'scrypt:1048576:32:1$abcdefghijklmnop$7302dc8ee26d97c5d012921333f354126a5db413b0982103de577006adef51b3',
      '$scrypt$ln=30,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$XM4MDarp09Vly8aeRSJRPNuvch1vAM2dJWVOmNhW0c0',
      'pbkdf2_sha256$9999999$abcdefghijkl$eQSu1LyOfw5Susid82K5klGzGdcCu0uUZQ8aixiBKAg=',
      '$2b$31$abcdefghijklmnopqrstuuirIDzv1Fk1DIlIUUjmpL/zl68.5hSqa',
    ]
    for (const stored of dear) {
      expect(isKnownHash(stored), stored).toBe(false)
      expect((await verifyPassword(password, stored, tiny)).isRight).toBe(false)
    }
  })

  it('V16.5.3 what is no hash is not right, and throws nothing', async () => {
    const none = [
      '',
      'x',
      password,
      '$argon2id$',
      '$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$x',
      '{p:00000000}',
      '$2b$',
      '$2x$05$x',
    ]
    for (const stored of none) {
      expect(isKnownHash(stored), stored).toBe(false)
      expect((await verifyPassword(password, stored, tiny)).isRight).toBe(false)
    }
  })
})

describe('hashes of other systems', () => {
  // Made with OpenSSL's and libxcrypt's code through Python, over the password above.
  const others: Readonly<Record<string, string>> = {
    bcrypt: '$2b$05$abcdefghijklmnopqrstuuirIDzv1Fk1DIlIUUjmpL/zl68.5hSqa',
    'scrypt in PHC form':
      '$scrypt$ln=14,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$XM4MDarp09Vly8aeRSJRPNuvch1vAM2dJWVOmNhW0c0',
    'scrypt of Werkzeug':
      'scrypt:32768:8:1$abcdefghijklmnop$7302dc8ee26d97c5d012921333f354126a5db413b0982103de577006adef51b397cf08fd24fafcb3023a88da4b7279a772bdd91cbd36272797c10d8d6541f75f',
    'PBKDF2 of Django': 'pbkdf2_sha256$260000$abcdefghijkl$eQSu1LyOfw5Susid82K5klGzGdcCu0uUZQ8aixiBKAg=',
    'PBKDF2 of passlib':
      '$pbkdf2-sha512$25000$MDEyMzQ1Njc4OWFiY2RlZg$3ZDH/cswvQfJibDGPeP2y96JW6z6ggNirwb68bCs50KtsoTudstdw23PU97FZalHlJRzIXpv63ahrF69En7bwQ',
  }
  for (const [name, stored] of Object.entries(others)) {
    it(`V11.4.2 ${name} verifies, and is outdated`, async () => {
      expect(isKnownHash(stored)).toBe(true)
      expect(await verifyPassword(password, stored, tiny)).toEqual({ isRight: true, isOutdated: true })
      expect((await verifyPassword(`${password}.`, stored, tiny)).isRight).toBe(false)
    })
  }

  it('V6.2.8 bcrypt takes no password that it would cut (CVE-2025-25298, CVE-2020-7689)', async () => {
    const { hash } = await import('@node-rs/bcrypt')
    const full = 'a'.repeat(72)
    const stored = await hash(full, 4)
    expect((await verifyPassword(full, stored, tiny)).isRight).toBe(true)
    expect((await verifyPassword(`${full}b`, stored, tiny)).isRight).toBe(false)
    expect((await verifyPassword(`${full}c`, stored, tiny)).isRight).toBe(false)
    const zero = await hash('before', 4)
    expect((await verifyPassword('before\u0000after', zero, tiny)).isRight).toBe(false)
  })
})
