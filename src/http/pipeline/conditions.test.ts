import { describe, expect, it } from 'vitest'
import { entityTag, isUnchanged, requireMatch } from './conditions.ts'

describe('V2.3.4 conditional requests (RFC 9110 §13)', () => {
  it('lets a change pass without If-Match, and with the tag of the row', () => {
    expect(requireMatch(undefined, 7)).toBeUndefined()
    expect(requireMatch('*', 7)).toBeUndefined()
    expect(requireMatch('"7"', 7)).toBe(7)
    expect(requireMatch('"6" , "7"', 7)).toBe(7)
  })

  for (const header of ['"6"', 'W/"7"', '7', '', '"77"', '"7', '"*"', ',']) {
    it(`refuses If-Match: ${header || '(empty)'}`, () => {
      expect(() => requireMatch(header, 7)).toThrow('PRECONDITION_FAILED')
    })
  }

  it('refuses any tag for a row without a revision', () => {
    expect(() => requireMatch('"1"', undefined)).toThrow('PRECONDITION_FAILED')
  })

  it('knows an unchanged row by weak comparison', () => {
    expect(isUnchanged(undefined, 7)).toBe(false)
    expect(isUnchanged('"7"', 7)).toBe(true)
    expect(isUnchanged('"6", W/"7"', 7)).toBe(true)
    expect(isUnchanged('*', 7)).toBe(true)
    expect(isUnchanged('"6"', 7)).toBe(false)
    expect(isUnchanged('"7"', undefined)).toBe(false)
    expect(isUnchanged(entityTag(8), 7)).toBe(false)
  })
})
