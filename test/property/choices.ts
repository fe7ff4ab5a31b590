import fc from 'fast-check'

/**
 * Decisions, one number each. Everything that is generated is made of these in plain code, so that it can be made
 * again: for another database, for other values. Where the numbers end, each further decision is the first option;
 * generators put the simplest there, which is what a failing case shrinks to.
 */
export class Choices {
  readonly #numbers: readonly number[]
  #at = 0

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }

  /** A whole number from 0 to `count - 1`. */
  below(count: number): number {
    const number = this.#numbers[this.#at] ?? 0
    this.#at += 1
    return number % count
  }

  /** True in about so many of a hundred; false where the numbers end. */
  chance(percent: number): boolean {
    return this.below(100) >= 100 - percent
  }

  /** One of them. */
  pick<const T>(options: readonly [T, ...T[]]): T {
    return options[this.below(options.length)] ?? options[0]
  }

  /** One of them; `undefined` when there is none. */
  any<T>(options: readonly T[]): T | undefined {
    return options[this.below(Math.max(1, options.length))]
  }

  /** One of the names, as often as its weight says; the first where the numbers end. */
  weighted<const Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries<number>(weights)
    let left = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0))
    for (const [name, weight] of entries) {
      // The keys of the record are its names.
      if (left < weight) return name as Name
      left -= weight
    }
    throw new RangeError('a weighted choice without options')
  }

  /** Some of them, each in about so many of a hundred. */
  some<T>(options: readonly T[], percent: number): T[] {
    return options.filter(() => this.chance(percent))
  }

  /** The next numbers, kept aside for something that is made several times. */
  aside(count: number): readonly number[] {
    const kept = this.#numbers.slice(this.#at, this.#at + count)
    this.#at += count
    return kept
  }
}

/**
 * So many decisions, or fewer: a failing case shrinks by cutting them short first. Without the bias of fast-check
 * towards small numbers, which would make most decisions the first option.
 */
export function numbers(most: number): fc.Arbitrary<readonly number[]> {
  const all = fc.array(fc.nat({ max: 9_999 }), { minLength: most, maxLength: most })
  return fc.noBias(fc.tuple(fc.nat({ max: 4 * most }), all).map(([length, list]) => list.slice(0, length)))
}
