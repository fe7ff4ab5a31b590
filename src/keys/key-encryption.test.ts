import { describe, expect, it } from 'vitest'
import { Secret } from '../base/index.ts'
import { unguessableBytes } from '../crypto/index.ts'
import { KeyFault } from './fault.ts'
import { rootKeyEncryption } from './key-encryption.ts'

const old = new Secret(unguessableBytes(32))
const current = new Secret(unguessableBytes(32))
const key = new Secret(unguessableBytes(32))

describe('wrapping with the root secret', () => {
  it('V11.3.2 gives the key back, and never shows it', async () => {
    const kek = rootKeyEncryption(current, null)
    const wrapped = await kek.wrap(key, 'aaaaaaaa')
    expect(wrapped).toMatch(/^hw1\.[A-Za-z0-9_-]{80}$/)
    expect(Buffer.from(wrapped.slice(4), 'base64url').includes(key.reveal())).toBe(false)
    const unwrapped = await kek.unwrap(wrapped, 'aaaaaaaa')
    expect(unwrapped.reveal().equals(key.reveal())).toBe(true)
    expect(await kek.wrap(key, 'aaaaaaaa')).not.toBe(wrapped)
  })

  it('V11.3.3 does not open in the place of another key, or changed', async () => {
    const kek = rootKeyEncryption(current, null)
    const wrapped = await kek.wrap(key, 'aaaaaaaa')
    await expect(kek.unwrap(wrapped, 'bbbbbbbb')).rejects.toThrow(KeyFault)
    for (const text of ['', 'hw1', 'hw1.', wrapped.slice(0, -4), `hw2${wrapped.slice(3)}`, wrapped.slice(4)])
      await expect(kek.unwrap(text, 'aaaaaaaa')).rejects.toThrow(KeyFault)
  })

  it('V13.3.4 opens what the secret before has wrapped, and wraps under the current one only', async () => {
    const wrapped = await rootKeyEncryption(old, null).wrap(key, 'aaaaaaaa')
    const both = rootKeyEncryption(current, old)
    const unwrapped = await both.unwrap(wrapped, 'aaaaaaaa')
    expect(unwrapped.reveal().equals(key.reveal())).toBe(true)
    const anew = await both.wrap(key, 'aaaaaaaa')
    await expect(rootKeyEncryption(old, null).unwrap(anew, 'aaaaaaaa')).rejects.toThrow(KeyFault)
    await expect(rootKeyEncryption(current, null).unwrap(anew, 'aaaaaaaa')).resolves.toBeInstanceOf(Secret)
  })

  it('V16.2.5 says what to do without a word of the secret', async () => {
    const wrapped = await rootKeyEncryption(old, null).wrap(key, 'aaaaaaaa')
    const refused = rootKeyEncryption(current, null).unwrap(wrapped, 'aaaaaaaa')
    await expect(refused).rejects.toMatchObject({
      report: expect.stringMatching(
        /aaaaaaaa does not open with HOLDFAST_SECRET\..*HOLDFAST_SECRET_PREVIOUS/s,
      ),
    })
  })
})
