import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Secret } from '../base/index.ts'
import { cursorMaxChars, openCursor, sealCursor } from './cursor.ts'
import { deriveKey } from './derive-key.ts'
import { mac } from './hash.ts'

const root = new Secret(Buffer.alloc(32, 7))
const key = deriveKey(root, 'cursor')
const route = 'GET /api/notes'
const position = ['2026-01-01T00:00:00.000Z', 42, null, true]
const cursor = sealCursor(key, route, position)

describe('cursors', () => {
  it('come back as they were', () => {
    expect(openCursor(key, route, cursor)).toEqual(position)
    const value = fc.oneof(fc.string({ maxLength: 40 }), fc.integer(), fc.boolean(), fc.constant(null))
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), (values) => {
        expect(openCursor(key, route, sealCursor(key, route, values))).toEqual(values)
      }),
    )
  })

  it('V11.3.3 refuses a cursor in which any one character was changed', () => {
    for (let index = 0; index < cursor.length; index++) {
      const other = cursor[index] === 'A' ? 'B' : 'A'
      const changed = `${cursor.slice(0, index)}${other}${cursor.slice(index + 1)}`
      expect(openCursor(key, route, changed), `character ${index}`).toBeNull()
    }
  })

  it('V9.2.2 refuses a cursor of another route, also where the boundary is moved', () => {
    expect(openCursor(key, 'GET /api/shares', cursor)).toBeNull()
    expect(openCursor(key, `${route}[`, cursor)).toBeNull()
    expect(openCursor(key, 'GET /api/votes', cursor)).toBeNull()
    expect(openCursor(key, '', cursor)).toBeNull()
    const bytes = Buffer.from(cursor, 'base64url')
    const moved = Buffer.concat([bytes.subarray(0, 32), bytes.subarray(33)]).toString('base64url')
    expect(openCursor(key, `${route}[`, moved)).toBeNull()
  })

  it('V9.2.2 refuses a cursor under a key for another purpose', () => {
    expect(openCursor(deriveKey(root, 'development-identity'), route, cursor)).toBeNull()
  })

  it('V11.3.3 refuses every other spelling of a good cursor', () => {
    for (const text of [
      `${cursor}=`,
      ` ${cursor}`,
      `${cursor}\n`,
      `${cursor.slice(0, 8)}.${cursor.slice(8)}`,
      `${cursor}A`,
    ]) {
      expect(openCursor(key, route, text)).toBeNull()
    }
  })

  it('V2.2.1 answers null to anything else, and does not throw', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => openCursor(key, route, text) === null))
    expect(openCursor(key, route, '')).toBeNull()
    expect(openCursor(key, route, cursor.slice(0, 43))).toBeNull()
  })

  it('V2.2.1 does not look at a text that is too long', () => {
    const body = JSON.stringify(['x'.repeat(3000)])
    const name = Buffer.from(route)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(name.length)
    const tag = mac(key, Buffer.concat([length, name, Buffer.from(body)]))
    const long = Buffer.concat([tag, Buffer.from(body)]).toString('base64url')
    expect(long.length).toBeGreaterThan(cursorMaxChars)
    expect(openCursor(key, route, long)).toBeNull()
  })

  it('holds at most what it can read back', () => {
    const longest = 'x'.repeat(1500)
    expect(openCursor(key, route, sealCursor(key, route, [longest]))).toEqual([longest])
    expect(() => sealCursor(key, route, [`${longest}x`])).toThrow('1,504 bytes')
    expect(() => sealCursor(key, route, [Number.NaN])).toThrow('finite')
  })
})
