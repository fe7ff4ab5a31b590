import fc from 'fast-check'
import { createLocalJWKSet, importJWK, jwtVerify, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { memberOf } from '../../test/kit/client.ts'
import { oneKey } from '../../test/kit/signing.ts'
import { type AccessTokens, accessTokens, tokenMaxChars } from './access-tokens.ts'

const origin = 'https://notes.example.com'
const startMs = Date.parse('2026-03-01T12:00:00Z')
const nowSeconds = startMs / 1000
const grant = {
  sub: 'user-1',
  sid: 'session-1',
  ver: 3,
  roles: ['admin', 'editor'],
  amr: ['pwd'],
  authTimeSeconds: nowSeconds - 60,
}

function fresh() {
  const { pair, keys } = oneKey()
  let nowMs = startMs
  const tokens = accessTokens(keys, { origin: () => origin, nowMs: () => nowMs })
  const pass = (ms: number): void => {
    nowMs += ms
  }
  return { pair, keys, tokens, pass }
}

/** A token under the right key that says whatever is wanted. */
function forged(header: unknown, payload: unknown, sign: (message: Uint8Array) => Buffer): string {
  const text = (value: unknown): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  const signed = `${text(header)}.${text(payload)}`
  return `${signed}.${sign(Buffer.from(signed)).toString('base64url')}`
}

const header = { alg: 'EdDSA', typ: 'at+jwt', kid: 'key-1' }
const payload = {
  iss: origin,
  aud: origin,
  client_id: 'app',
  sub: 'user-1',
  sid: 'session-1',
  ver: 3,
  roles: ['admin'],
  amr: ['pwd'],
  auth_time: nowSeconds,
  jti: 'jti-1',
  iat: nowSeconds,
  exp: nowSeconds + 600,
}

describe('an access token', () => {
  it('says what it was made for, for ten minutes', () => {
    const { tokens, pass } = fresh()
    const { token, expiresInSeconds, jti } = tokens.sign(grant)
    expect(expiresInSeconds).toBe(600)
    const { authTimeSeconds: auth_time, ...rest } = grant
    const expected = {
      ...rest,
      ...{ auth_time, jti, iss: origin, aud: origin, client_id: 'app' },
      ...{ iat: nowSeconds, exp: nowSeconds + 600 },
    }
    expect(tokens.verify(token)).toEqual(expected)
    pass(600_000 - 1)
    expect(tokens.verify(token)).toEqual(expected)
    pass(1)
    expect(tokens.verify(token)).toBeNull()
  })

  it('V9.1.1 is verified by another library, with the published keys alone', async () => {
    const { tokens } = fresh()
    const { token } = tokens.sign(grant)
    const verified = await jwtVerify(token, createLocalJWKSet({ keys: [...tokens.jwks().keys] }), {
      issuer: origin,
      audience: origin,
      typ: 'at+jwt',
      algorithms: ['EdDSA', 'Ed25519'],
      currentDate: new Date(startMs),
      requiredClaims: ['sub', 'client_id', 'jti', 'iat', 'exp'],
    })
    expect(verified.payload.sub).toBe('user-1')
    expect(JSON.stringify(tokens.jwks())).not.toContain('"d"')
  })

  it('V9.1.2 made by another library under our key is taken where it is spelled as we spell it', async () => {
    const { pair, tokens } = fresh()
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: pair.publicKey.toString('base64url') }
    const key = await importJWK({ ...jwk, d: pair.seed.reveal().toString('base64url') }, 'EdDSA')
    const same = await new SignJWT(payload).setProtectedHeader(header).sign(key)
    expect(tokens.verify(same)).toEqual(payload)
    for (const other of [
      { alg: 'EdDSA', kid: 'key-1', typ: 'at+jwt' },
      { alg: 'EdDSA', typ: 'JWT', kid: 'key-1' },
      { alg: 'EdDSA', typ: 'AT+JWT', kid: 'key-1' },
      { alg: 'EdDSA', kid: 'key-1' },
      { alg: 'EdDSA', typ: 'at+jwt' },
      { ...header, jku: 'https://evil.example.com/jwks.json' },
      { ...header, jwk },
      { ...header, x5u: 'https://evil.example.com/x5u' },
      { ...header, cty: 'JWT' },
    ])
      expect(tokens.verify(await new SignJWT(payload).setProtectedHeader(other).sign(key))).toBeNull()
  })

  const wrongClaims: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['another issuer', { iss: 'https://notes.example.com.evil.com' }],
    ['an issuer with a slash', { iss: `${origin}/` }],
    ['another audience', { aud: 'https://other.example.com' }],
    ['a list of audiences', { aud: [origin] }],
    ['no audience', { aud: undefined }],
    ['no end', { exp: undefined }],
    ['an end that has come', { exp: nowSeconds }],
    ['an end in milliseconds', { exp: (nowSeconds + 600) * 1000 }],
    ['an end as text', { exp: String(nowSeconds + 600) }],
    ['an end that is no whole number', { exp: nowSeconds + 600.5 }],
    ['too long a life', { exp: nowSeconds + 601 }],
    ['an end before its beginning', { iat: nowSeconds + 3, exp: nowSeconds + 2 }],
    ['a beginning in the future', { iat: nowSeconds + 6, exp: nowSeconds + 600 }],
    ['a beginning in milliseconds', { iat: nowSeconds * 1000, exp: nowSeconds * 1000 + 600 }],
    ['a proof in the future', { auth_time: nowSeconds + 60 }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a number as subject', { sub: 1 }],
    ['no session', { sid: undefined }],
    ['no version', { ver: undefined }],
    ['a version as text', { ver: '3' }],
    ['a version below zero', { ver: -1 }],
    ['roles as text', { roles: 'admin' }],
    ['roles that are no texts', { roles: [['admin']] }],
    ['too many roles', { roles: Array.from({ length: 65 }, (_, index) => `r${index}`) }],
    ['no token id', { jti: undefined }],
  ]
  for (const [name, change] of wrongClaims) {
    it(`V9.2.1 V9.2.3 is refused with ${name}`, () => {
      const { keys, tokens } = fresh()
      expect(tokens.verify(forged(header, payload, keys.active.sign))).not.toBeNull()
      expect(tokens.verify(forged(header, { ...payload, ...change }, keys.active.sign))).toBeNull()
    })
  }

  const wrongHeaders: readonly (readonly [string, unknown])[] = [
    ['no algorithm', { ...header, alg: 'none' }],
    ['None', { ...header, alg: 'None' }],
    ['HS256', { ...header, alg: 'HS256' }],
    ['RS256', { ...header, alg: 'RS256' }],
    ['ES256', { ...header, alg: 'ES256' }],
    ['the new name of our algorithm, which we do not write', { ...header, alg: 'Ed25519' }],
    ['another type', { ...header, typ: 'refresh+jwt' }],
    ['an unknown key', { ...header, kid: 'key-2' }],
    ['a path for a key', { ...header, kid: '../../key-1' }],
    ['SQL for a key', { ...header, kid: "key-1' or '1'='1" }],
    ['a critical extension', { ...header, crit: ['exp'] }],
    ['compression', { ...header, zip: 'DEF' }],
    ['an algorithm that stands twice', '{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"key-1"}'],
    ['white space', '{"alg": "EdDSA","typ":"at+jwt","kid":"key-1"}'],
    ['a prototype', '{"alg":"EdDSA","typ":"at+jwt","kid":"key-1","__proto__":{}}'],
    ['no object', '"EdDSA"'],
    ['an empty header', ''],
  ]
  for (const [name, wrong] of wrongHeaders) {
    it(`V9.1.2 V9.1.3 is refused with ${name} in its header, though the signature is right`, () => {
      const { keys, tokens } = fresh()
      expect(tokens.verify(forged(wrong, payload, keys.active.sign))).toBeNull()
    })
  }

  it('V9.1.2 is refused when it is signed with the public key as an HMAC secret', async () => {
    const { pair, tokens } = fresh()
    const signed = await new SignJWT(payload)
      .setProtectedHeader({ ...header, alg: 'HS256' })
      .sign(pair.publicKey)
    expect(tokens.verify(signed)).toBeNull()
    const [, body = '', tag = ''] = signed.split('.')
    const ours = Buffer.from(JSON.stringify(header)).toString('base64url')
    expect(tokens.verify(`${ours}.${body}.${tag}`)).toBeNull()
  })

  it('V9.1.1 is refused under any key but ours', () => {
    const { tokens } = fresh()
    const other = oneKey()
    expect(tokens.verify(forged(header, payload, other.keys.active.sign))).toBeNull()
  })

  it('V9.1.1 is refused with any one letter changed, one more and one less', () => {
    const { tokens } = fresh()
    const { token } = tokens.sign(grant)
    for (let index = 0; index < token.length; index += 1) {
      for (const letter of ['A', 'B', '.', '=', ' ', '\u0141'].filter((one) => one !== token[index])) {
        const changed = token.slice(0, index) + letter + token.slice(index + 1)
        expect(tokens.verify(changed), `letter ${index}`).toBeNull()
      }
      expect(tokens.verify(token.slice(0, index) + token.slice(index + 1))).toBeNull()
    }
    for (const more of [
      `${token}=`,
      `${token} `,
      ` ${token}`,
      `${token}.`,
      `${token}.${token}`,
      `\ufeff${token}`,
    ])
      expect(tokens.verify(more)).toBeNull()
    expect(tokens.verify(token)).not.toBeNull()
  })

  it('V9.1.1 has one spelling: the last letter of a signature holds four bits that say nothing', () => {
    const { tokens } = fresh()
    const { token } = tokens.sign(grant)
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const taken = [...letters].filter((letter) => tokens.verify(token.slice(0, -1) + letter) !== null)
    expect(taken).toEqual([token.at(-1)])
  })

  it('V1.3.3 V16.5.3 is refused unread when it is too long, and nothing makes it throw', () => {
    const { keys, tokens } = fresh()
    const long = { ...payload, sub: 'a'.repeat(200), jti: 'x'.repeat(200) }
    const padded = forged(header, { ...long, pad: 'p'.repeat(tokenMaxChars) }, keys.active.sign)
    expect(tokens.verify(padded)).toBeNull()
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(tokens.verify(text)).toBeNull()
      }),
    )
    for (const body of ['null', '[]', '1', '"x"', '{', '', '{"sub":', 'é'])
      expect(tokens.verify(forged(header, body, keys.active.sign))).toBeNull()
  })
})

describe('verified tokens that are remembered', () => {
  it('V9.2.1 die with their time and with their key', () => {
    const { keys, tokens, pass } = fresh()
    const { token } = tokens.sign(grant)
    const first = tokens.verify(token)
    expect(tokens.verify(token)).toBe(first)
    expect(() => Object.assign(first ?? {}, { sub: 'user-2' })).toThrow(TypeError)
    keys.isWithdrawn = true
    expect(tokens.verify(token)).toBeNull()
    keys.isWithdrawn = false
    expect(tokens.verify(token)).toEqual(first)
    pass(600_000)
    expect(tokens.verify(token)).toBeNull()
  })

  it('V9.1.1 never stand for another token (CVE-2026-35039), however many there are', () => {
    const { keys } = oneKey()
    const tokens = accessTokens(keys, { origin: () => origin, nowMs: () => startMs, cacheMaxCount: 20 })
    const made = Array.from(
      { length: 100 },
      (_, index) => tokens.sign({ ...grant, sub: `user-${index}` }).token,
    )
    for (let round = 0; round < 3; round += 1)
      for (const [index, token] of made.entries()) expect(tokens.verify(token)?.sub).toBe(`user-${index}`)
    expect(interleaved(tokens, made)).toBe(true)
  })
})

function interleaved(tokens: AccessTokens, made: readonly string[]): boolean {
  return made.every((token, index) => {
    const other = made.at(-index - 1) ?? ''
    const pair = [tokens.verify(token), tokens.verify(other), tokens.verify(token)]
    return memberOf(pair[0], 'sub') === memberOf(pair[2], 'sub') && pair.every((claims) => claims !== null)
  })
}

it('an unknown key is looked up, and the token refused meanwhile', () => {
  const { keys, tokens } = fresh()
  const before = keys.unknownCount
  expect(tokens.verify(forged({ ...header, kid: 'key-2' }, payload, keys.active.sign))).toBeNull()
  expect(keys.unknownCount).toBe(before + 1)
})
