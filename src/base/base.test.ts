import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { assert, newId, Secret } from './index.ts'

describe('V16.2.5 a secret', () => {
  it('prints as [secret] wherever it is printed', () => {
    const secret = new Secret('correct horse')
    const shown = [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect({ deep: [secret] }),
      inspect(secret),
    ]
    for (const text of shown) {
      expect(text).toContain('[secret]')
      expect(text).not.toContain('horse')
    }
    expect(Object.keys(secret)).toEqual([])
    expect(secret.reveal()).toBe('correct horse')
  })
})

describe('an id', () => {
  it('is a UUIDv7 that tells its time (RFC 9562 §5.7)', () => {
    const id = newId(4_000_000_000_000)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(4_000_000_000_000)
  })

  it('sorts by creation and never repeats, also in one millisecond and when the clock steps back', () => {
    const nowMs = 4_100_000_000_000
    const ids = Array.from({ length: 10_000 }, (_, index) => newId(nowMs - (index % 3)))
    expect(new Set(ids).size).toBe(ids.length)
    expect([...ids].sort()).toEqual(ids)
  })
})

describe('assert', () => {
  it('throws what is our bug', () => {
    expect(() => assert(false, 'a thing holds')).toThrow('Bug in Holdfast')
    expect(() => assert(true, 'a thing holds')).not.toThrow()
  })
})
