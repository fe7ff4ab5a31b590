/** How much structure a JSON text may have. */
export interface JsonLimits {
  /** Levels of nesting. */
  readonly depthCount: number
  /** Keys of all objects together. */
  readonly keyCount: number
  /** Elements of all arrays together. */
  readonly elementCount: number
}

/** Why a JSON text is refused. */
export type JsonRefusal =
  | 'nesting too deep'
  | 'too many keys'
  | 'too many elements'
  | 'repeated key'
  | 'prototype key'
  | 'lone surrogate'
  | 'number out of range'
  | 'syntax'

/** One open object or array. */
interface Frame {
  /** The keys seen so far; `undefined` in an array. */
  readonly keys: Set<string> | undefined
  /** True for the object that is the value of a key `constructor`. */
  readonly isConstructor: boolean
  /** True while the next string of an object is a key. */
  awaitsKey: boolean
  /** The key whose value comes next. */
  key: string
}

const quote = 0x22
const backslash = 0x5c
const numberToken = /-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y

/**
 * Looks over a JSON text once, before it is parsed, for what the parser itself would let through.
 *
 * It does not check the grammar: a text that is no JSON gets any answer here and is refused by the parser.
 *
 * @returns `undefined` when there is nothing to refuse.
 */
export function scanJson(text: string, limits: JsonLimits): JsonRefusal | undefined {
  const scan = new JsonScan(text, limits)
  return scan.run()
}

class JsonScan {
  readonly #text: string
  readonly #limits: JsonLimits
  readonly #frames: Frame[] = []
  #position = 0
  #keyCount = 0
  #elementCount = 0

  constructor(text: string, limits: JsonLimits) {
    this.#text = text
    this.#limits = limits
  }

  run(): JsonRefusal | undefined {
    while (this.#position < this.#text.length) {
      const refusal = this.#step(this.#text.charCodeAt(this.#position))
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  #step(code: number): JsonRefusal | undefined {
    switch (code) {
      case quote:
        return this.#string()
      case 0x7b: // {
        return this.#value() ?? this.#open(new Set())
      case 0x5b: // [
        return this.#value() ?? this.#open(undefined)
      case 0x7d: // }
      case 0x5d: // ]
        this.#frames.pop()
        break
      case 0x2c: // ,
        this.#next()
        break
      case 0x20:
      case 0x09:
      case 0x0a:
      case 0x0d:
      case 0x3a: // :
        break
      default:
        return code === 0x2d || (code >= 0x30 && code <= 0x39)
          ? (this.#value() ?? this.#number())
          : this.#word()
    }
    this.#position++
    return undefined
  }

  #open(keys: Set<string> | undefined): JsonRefusal | undefined {
    if (this.#frames.length >= this.#limits.depthCount) return 'nesting too deep'
    const isConstructor = keys !== undefined && this.#frames.at(-1)?.key === 'constructor'
    this.#frames.push({ keys, isConstructor, awaitsKey: keys !== undefined, key: '' })
    this.#position++
    return undefined
  }

  #next(): void {
    const frame = this.#frames.at(-1)
    if (frame?.keys !== undefined) frame.awaitsKey = true
  }

  // Counts a value that stands in an array.
  #value(): JsonRefusal | undefined {
    const frame = this.#frames.at(-1)
    if (frame === undefined || frame.keys !== undefined) return undefined
    return ++this.#elementCount > this.#limits.elementCount ? 'too many elements' : undefined
  }

  #string(): JsonRefusal | undefined {
    const start = this.#position
    let end = start + 1
    let hasEscape = false
    for (let code = this.#text.charCodeAt(end); code !== quote; code = this.#text.charCodeAt(end)) {
      // Past the end of the text the code is NaN.
      if (!(end < this.#text.length)) return 'syntax'
      if (code === backslash) hasEscape = true
      end += code === backslash ? 2 : 1
    }
    this.#position = end + 1
    const content = hasEscape
      ? literalValue(this.#text.slice(start, end + 1))
      : this.#text.slice(start + 1, end)
    if (content === undefined) return 'syntax'
    // Only an escape can make one: the bytes were valid UTF-8.
    if (hasEscape && !content.isWellFormed()) return 'lone surrogate'
    const frame = this.#frames.at(-1)
    return frame?.awaitsKey === true ? this.#key(frame, content) : this.#value()
  }

  #key(frame: Frame, key: string): JsonRefusal | undefined {
    if (++this.#keyCount > this.#limits.keyCount) return 'too many keys'
    if (key === '__proto__' || (frame.isConstructor && key === 'prototype')) return 'prototype key'
    if (frame.keys?.has(key) === true) return 'repeated key'
    frame.keys?.add(key)
    frame.key = key
    frame.awaitsKey = false
    return undefined
  }

  #number(): JsonRefusal | undefined {
    numberToken.lastIndex = this.#position
    const token = numberToken.exec(this.#text)?.[0]
    if (token === undefined) return 'syntax'
    this.#position += token.length
    const value = Number(token)
    const survives = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
    return survives ? undefined : 'number out of range'
  }

  // true, false and null; the parser refuses every other word.
  #word(): JsonRefusal | undefined {
    const start = this.#position
    while (isLetter(this.#text.charCodeAt(this.#position))) this.#position++
    return this.#position === start ? 'syntax' : this.#value()
  }
}

function isLetter(code: number): boolean {
  return code >= 0x61 && code <= 0x7a
}

function literalValue(literal: string): string | undefined {
  try {
    return String(JSON.parse(literal))
  } catch {
    return undefined
  }
}
