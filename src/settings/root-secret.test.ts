import { describe, expect, it } from 'vitest'
import { sha256, unguessableBytes } from '../crypto/index.ts'
import { isDevelopmentSecret, makeDevelopmentSecret, parseSecret } from './root-secret.ts'

const series = (step: number) =>
  Buffer.from(Array.from({ length: 32 }, (_, index) => (5 + index * step) & 0xff))

describe('the root secret', () => {
  it('is 32 random bytes, in either base64, padded or not', () => {
    for (let count = 0; count < 200; count++) {
      const bytes = unguessableBytes(32)
      const spellings = [
        bytes.toString('base64'),
        bytes.toString('base64url'),
        `${bytes.toString('base64url')}=`,
      ]
      for (const text of spellings) {
        const parsed = parseSecret(text)
        expect(parsed.ok && parsed.value.reveal().equals(bytes)).toBe(true)
      }
    }
  })

  const random = Buffer.from('3cf1b8a90d7e4425966f0b1ce28ad5732b8e61f4c90fa7d318524ce67b9d0a31', 'hex')
  const text = random.toString('base64')
  const misspelt = [
    ['31 bytes', random.subarray(1).toString('base64')],
    ['33 bytes', Buffer.concat([random, Buffer.from('x')]).toString('base64')],
    ['hexadecimal', random.toString('hex')],
    ['two alphabets', `-${text.slice(1, 20)}+${text.slice(21)}`],
    ['bits that do not count', `${text.slice(0, 42)}${text[42] === 'E' ? 'F' : 'E'}=`.replace(/.=$/, 'F=')],
    ['two padding characters', `${text}=`],
    ['a blank within', `${text.slice(0, 20)} ${text.slice(20)}`],
    ['nothing', ''],
  ] as const
  for (const [name, spelling] of misspelt) {
    it(`V11.5.1 is refused: ${name}`, () => {
      expect(parseSecret(spelling)).toMatchObject({ ok: false, problem: 'is not 32 bytes in base64' })
    })
  }

  const weak = [
    ['zeros', Buffer.alloc(32)],
    ['one byte over and over', Buffer.alloc(32, 0xa5)],
    ['one byte changed', Buffer.concat([Buffer.alloc(31, 0xa5), Buffer.from([1])])],
    ['half of it twice', Buffer.concat([random.subarray(0, 16), random.subarray(0, 16)])],
    ['counting up', series(1)],
    ['counting down', series(-1)],
    ['a series of sevens', series(7)],
    ['a sentence', Buffer.from('correct horse battery staple....')],
    ['hexadecimal text', Buffer.from('3cf1b8a90d7e4425966f0b1ce28ad573')],
    ['text with a line end', Buffer.from('3cf1b8a90d7e4425966f0b1ce28ad57\n')],
  ] as const
  for (const [name, bytes] of weak) {
    it(`V11.5.1 is refused as guessable: ${name}`, () => {
      expect(parseSecret(bytes.toString('base64'))).toMatchObject({
        ok: false,
        problem: 'is not random: it can be guessed',
      })
    })
  }

  const published = [
    ['the Fernet example', Buffer.from('cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=', 'base64url')],
    ['the digest of nothing', sha256('')],
    ['the digest of changeme', sha256('changeme')],
  ] as const
  for (const [name, bytes] of published) {
    it(`V13.2.3 is refused as an example: ${name}`, () => {
      expect(parseSecret(bytes.toString('base64'))).toMatchObject({
        ok: false,
        problem: expect.stringContaining('example'),
      })
    })
  }
})

describe('a secret for development', () => {
  it('V13.2.3 is a good secret, never twice the same, and known as what it is', () => {
    const secrets = Array.from({ length: 100 }, () => makeDevelopmentSecret())
    expect(new Set(secrets.map((secret) => secret.toString('hex'))).size).toBe(100)
    for (const secret of secrets) {
      expect(parseSecret(secret.toString('base64')).ok).toBe(true)
      expect(isDevelopmentSecret(secret)).toBe(true)
    }
  })

  it('is not mistaken for another', () => {
    for (let count = 0; count < 1000; count++) expect(isDevelopmentSecret(unguessableBytes(32))).toBe(false)
  })
})
