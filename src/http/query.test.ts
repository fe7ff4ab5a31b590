import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJsonType, isPlainEncoding } from './content-type.ts'
import { queryParser, queryRefusal } from './query.ts'

const parse = queryParser(50)

describe('queryParser', () => {
  it('reads flat names, lists and plus signs', () => {
    expect({ ...parse('a=1&b=x+y%20z&a=2&c&=d&&e=') }).toEqual({
      a: ['1', '2'],
      b: 'x y z',
      c: '',
      '': 'd',
      e: '',
    })
    expect({ ...parse('a[b]=1&a.c=2&x==') }).toEqual({ 'a[b]': '1', 'a.c': '2', x: '=' })
    expect({ ...parse('') }).toEqual({})
  })

  it('V15.3.6 makes names of the prototype ordinary', () => {
    const query = parse('__proto__=a&constructor=b&hasOwnProperty=c')
    expect(Object.getPrototypeOf(query)).toBeNull()
    expect(Object.keys(query)).toEqual(['__proto__', 'constructor', 'hasOwnProperty'])
    expect(Reflect.get({}, 'a')).toBeUndefined()
  })

  it('V15.2.2 refuses more parameters than the limit', () => {
    expect(queryRefusal(parse(Array(50).fill('a=1').join('&')))).toBeUndefined()
    expect(queryRefusal(parse(Array(51).fill('a=1').join('&')))).toBe('too-many-parameters')
  })

  it('V1.1.1 refuses malformed percent-encoding', () => {
    for (const bad of ['a=%', 'a=%zz', '%=1', 'a=%c0%ae', 'a=%ed%a0%80', 'a=%ff']) {
      expect(queryRefusal(parse(bad))).toBe('malformed-encoding')
    }
  })

  it('never throws, and agrees with URLSearchParams where both read', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 20 }), (pairs) => {
        const wellFormed = pairs.map(([name, value]) => [name.toWellFormed(), value.toWellFormed()])
        const text = new URLSearchParams(wellFormed).toString()
        const expected = new Map<string, string[]>()
        for (const [name = '', value = ''] of wellFormed)
          expected.set(name, [...(expected.get(name) ?? []), value])
        const found = new Map(Object.entries(parse(text)).map(([name, value]) => [name, [value].flat()]))
        expect(found).toEqual(expected)
      }),
    )
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof parse(text) === 'object'))
  })
})

describe('content types', () => {
  it('V1.5.3 accepts application/json in UTF-8 and nothing else', () => {
    const good = [
      'application/json',
      'Application/JSON',
      'application/json;charset=utf-8',
      'application/json; charset="UTF-8"',
      'application/json\t;\tcharset=utf-8 ',
    ]
    const bad = [
      undefined,
      '',
      'text/plain',
      'text/json',
      'application/problem+json',
      'application/jsonx',
      'application/json-patch',
      ' application/json',
      'application/ json',
      'application/json;',
      'application/json;charset=utf-16',
      'application/json;charset=utf-8;charset=utf-16',
      'application/json; charset=utf-8; x=y',
      'application/json; x=charset=utf-8',
      'application/json, text/plain',
      'application/json\u00a0',
      'application/json;charset=utf-8\n',
      'multipart/form-data; boundary=application/json',
    ]
    for (const type of good) expect(isJsonType(type), type).toBe(true)
    for (const type of bad) expect(isJsonType(type), type).toBe(false)
  })

  it('V15.2.2 accepts no compression', () => {
    expect(isPlainEncoding(undefined)).toBe(true)
    expect(isPlainEncoding('identity')).toBe(true)
    for (const coding of ['gzip', 'br', 'identity, gzip', '', 'x'])
      expect(isPlainEncoding(coding)).toBe(false)
  })
})
