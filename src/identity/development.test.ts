import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Secret } from '../base/index.ts'
import { deriveKey, mac } from '../crypto/index.ts'
import { SettingsFault } from '../settings/index.ts'
import { developmentIdentity, developmentToken, developmentUserId } from './development.ts'

const root = new Secret(Buffer.alloc(32, 9))
const key = deriveKey(root, 'development-identity')
const identify = developmentIdentity(key, 'development')
const ada = { name: 'ada', roles: ['admin', 'editor'] }
const token = developmentToken(key, ada)

/** A token with a right tag over whatever it says. */
function tagged(claim: string): string {
  return `${claim}.${mac(key, claim).toString('base64url')}`
}

describe('the test identity', () => {
  it('is the person of the token', () => {
    expect(token).toMatch(/^dev\.ada\.admin\+editor\.[A-Za-z0-9_-]{43}$/)
    expect(identify({ authorization: `Bearer ${token}` })).toEqual({
      id: developmentUserId('ada'),
      roles: ['admin', 'editor'],
    })
    const plain = developmentToken(key, { name: 'bob', roles: [] })
    expect(identify({ authorization: `bearer ${plain}` })).toEqual({
      id: developmentUserId('bob'),
      roles: [],
    })
  })

  it('V8.4.1 is in the tenant of the token, and in no other', () => {
    const inAcme = developmentToken(key, { name: 'ada', roles: [], tenantId: 'acme' })
    expect(identify({ authorization: `Bearer ${inAcme}` })).toEqual({
      id: developmentUserId('ada'),
      roles: [],
      tenantId: 'acme',
    })
    for (const other of [
      inAcme.replace('acme', 'evil'),
      inAcme.replace('.acme', ''),
      token.replace('.ada.', '.ada.x.'),
    ]) {
      expect(identify({ authorization: `Bearer ${other}` })).toBeNull()
    }
    expect(() => developmentToken(key, { name: 'ada', roles: [], tenantId: 'a.b' })).toThrow()
  })

  it('V13.4.2 V15.2.3 is refused in production', () => {
    expect(() => developmentIdentity(key, 'production')).toThrow(SettingsFault)
    expect(() => developmentIdentity(key, 'test')).not.toThrow()
  })

  it('V9.1.1 refuses a token in which any one character was changed', () => {
    for (let index = 0; index < token.length; index++) {
      const other = token[index] === 'a' ? 'b' : 'a'
      const changed = `${token.slice(0, index)}${other}${token.slice(index + 1)}`
      expect(identify({ authorization: `Bearer ${changed}` }), `character ${index}`).toBeNull()
    }
  })

  it('V9.1.1 refuses more roles, fewer roles, another name and no tag', () => {
    const tag = token.split('.')[3]
    for (const claim of [
      'dev.ada.admin',
      'dev.ada.admin+editor+root',
      'dev.bob.admin+editor',
      'dev.ada.editor+admin',
      'dev.ada.',
    ]) {
      expect(identify({ authorization: `Bearer ${claim}.${tag}` })).toBeNull()
    }
    for (const text of [
      'dev.ada.admin',
      'dev.ada.admin.',
      'dev..admin.',
      'dev',
      'dev...',
      `${token}.`,
      `${token}=`,
    ]) {
      expect(identify({ authorization: `Bearer ${text}` })).toBeNull()
    }
  })

  it('V2.2.1 refuses what it would never have made, even with a right tag', () => {
    const long = Array.from({ length: 17 }, (_, index) => `r${index}`).join('+')
    const claims = [
      'dev.Ada.admin',
      'dev..admin',
      `dev.${'a'.repeat(33)}.admin`,
      'dev.ada.admin+',
      'dev.ada.+admin',
      'dev.ada.admin+admin',
      `dev.ada.${long}`,
      'jwt.ada.admin',
      'dev.a1.admin',
      'dev.ada.1',
    ]
    for (const claim of claims)
      expect(identify({ authorization: `Bearer ${tagged(claim)}` }), claim).toBeNull()
    expect(identify({ authorization: `Bearer ${tagged('dev.ada.admin')}` })).not.toBeNull()
  })

  it('V9.2.2 refuses a token under a key for another purpose, or of another server', () => {
    for (const other of [
      deriveKey(root, 'cursor'),
      deriveKey(new Secret(Buffer.alloc(32, 8)), 'development-identity'),
    ]) {
      expect(identify({ authorization: `Bearer ${developmentToken(other, ada)}` })).toBeNull()
    }
  })

  it('V14.2.1 is read from the Authorization field only', () => {
    expect(identify({})).toBeNull()
    expect(identify({ cookie: `token=${token}; Authorization=Bearer ${token}` })).toBeNull()
    expect(identify({ authorization: `Basic ${token}` })).toBeNull()
    expect(identify({ authorization: token })).toBeNull()
  })

  it('V16.5.3 answers null to anything else, and does not throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        expect(identify({ authorization: `Bearer dev.${text}` })).toBeNull()
      }),
    )
  })

  it('makes no token for a name that could be mistaken', () => {
    for (const name of ['', 'Ada', 'ada.admin', 'ada+x', 'é', 'a'.repeat(33)]) {
      expect(() => developmentToken(key, { name, roles: [] }), name).toThrow('1 to 32 letters')
    }
    expect(() => developmentToken(key, { name: 'ada', roles: ['a.b'] })).toThrow('role')
  })
})

describe('the user id of a development person', () => {
  it('is a UUID of version 8, the same each time and another for each name', () => {
    expect(developmentUserId('ada')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    expect(developmentUserId('ada')).toBe(developmentUserId('ada'))
    expect(developmentUserId('ada')).not.toBe(developmentUserId('bob'))
  })
})
