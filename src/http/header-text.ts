import type { HeaderBlock } from './headers.ts'

/** Header fields as one text, made once, of which a reply leaves out what it says itself. */
export class HeaderText {
  readonly fields: HeaderBlock
  readonly #values: ReadonlyMap<string, string>
  readonly #text: string

  constructor(fields: HeaderBlock) {
    this.fields = fields
    this.#values = new Map(fields)
    this.#text = textOf(fields)
  }

  /** @param name In lower case. */
  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** @param name In lower case. */
  valueOf(name: string): string | undefined {
    return this.#values.get(name)
  }

  /**
   * The text without the fields that a reply has set itself, or does not want.
   *
   * `Vary` stays beside one that does not name Origin: two lines of it are one list (RFC 9110 §5.3), and a reply that
   * names another field must not take Origin away.
   */
  without(own: readonly GivenField[], unwanted: ReadonlySet<string> | undefined): string {
    let left: Set<string> | undefined = unwanted === undefined ? undefined : new Set(unwanted)
    for (const [name, value] of own) {
      if (!this.#values.has(name)) continue
      left ??= new Set()
      if (name === 'vary' && !/\borigin\b|\*/i.test(String(value))) left.delete(name)
      else left.add(name)
    }
    if (left === undefined) return this.#text
    const dropped = left
    return textOf(this.fields.filter(([name]) => !dropped.has(name)))
  }
}

/** A field that a reply sets itself, its name in lower case. */
export type GivenField = readonly [name: string, value: unknown]

/** The fields in one of the forms that `writeHead` takes: an object, names and values in turn, or pairs of them. */
export function givenFields(given: object | undefined): readonly GivenField[] {
  if (given === undefined) return noFields
  if (!Array.isArray(given)) return Object.entries(given).map(([name, value]) => [name.toLowerCase(), value])
  const items: readonly unknown[] = given
  // Decided once for the whole list, as Node does: a value may be a list too.
  const arePairs = Array.isArray(items[0])
  return items.flatMap((item, at): GivenField[] => {
    if (arePairs) return Array.isArray(item) ? [[String(item[0]).toLowerCase(), item[1]]] : []
    return at % 2 === 0 ? [[String(item).toLowerCase(), items[at + 1]]] : []
  })
}

const noFields: readonly GivenField[] = []

function textOf(fields: HeaderBlock): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
}
