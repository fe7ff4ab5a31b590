import { expand, type Raw } from './expand.ts'
import { type Draft, mergeRaws } from './merge.ts'
import { longestText, type Scalar, type Shape } from './shape.ts'
import type { JsonSchema } from './standard.ts'

// A schema of this many places is not read further: merged unions could otherwise grow without end.
const maxShapeCount = 5_000

interface ShapeDraft {
  alternatives: Draft[]
  unsupported: string[]
}

/** Reads a JSON Schema (draft 2020-12) into its shape. */
export function readShape(json: JsonSchema): Shape {
  const builder = new ShapeBuilder(json)
  const shape = builder.shapeFor([json])
  builder.build()
  return shape
}

class ShapeBuilder {
  readonly #root: JsonSchema
  readonly #identities = new Map<Raw, number>()
  readonly #shapes = new Map<string, ShapeDraft>()
  readonly #queue: { readonly raws: readonly Raw[]; readonly shape: ShapeDraft }[] = []
  readonly #drafts: Draft[] = []

  constructor(root: JsonSchema) {
    this.#root = root
  }

  /** The shape of everything that all of `raws` hold of; filled by {@link build}, so that schemas may be recursive. */
  shapeFor(raws: readonly Raw[]): ShapeDraft {
    const key = [...new Set(raws.map((raw) => this.#identityOf(raw)))].sort((a, b) => a - b).join()
    const known = this.#shapes.get(key)
    if (known !== undefined) return known
    const shape: ShapeDraft = { alternatives: [], unsupported: [] }
    this.#shapes.set(key, shape)
    this.#queue.push({ raws, shape })
    return shape
  }

  build(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#fill(next.raws, next.shape)
    }
    // Only now is every shape known: names first, because they can turn into properties.
    for (const draft of this.#drafts) settleNames(draft)
    for (const draft of this.#drafts) draft.record.tags = tagsOf(draft)
  }

  #fill(raws: readonly Raw[], shape: ShapeDraft): void {
    if (this.#shapes.size > maxShapeCount) {
      shape.unsupported.push('the schema is too large to be read')
      return
    }
    const { sets, unsupported } = expand(raws, this.#root)
    shape.unsupported.push(...unsupported)
    for (const set of sets) {
      const merged = mergeRaws(set, (parts) => this.shapeFor(parts), shape.unsupported)
      if (merged === null) continue
      shape.alternatives.push(merged)
      this.#drafts.push(merged)
    }
  }

  #identityOf(raw: Raw): number {
    const known = this.#identities.get(raw)
    if (known !== undefined) return known
    this.#identities.set(raw, this.#identities.size)
    return this.#identities.size - 1
  }
}

/** A map whose names are a closed list is an object with those properties. */
function settleNames({ record }: Draft): void {
  if (record.names === null) return
  const named = record.names.alternatives
  const listed = named.flatMap(({ values }) => values ?? [])
  if (named.length > 0 && named.every(({ values }) => values !== null)) {
    for (const name of listed) {
      if (typeof name === 'string' && record.rest !== null && !record.properties.has(name)) {
        record.properties.set(name, record.rest)
      }
    }
    record.rest = null
    return
  }
  const counts = named.map(({ text }) => longestText(text))
  record.nameCount = counts.some((count) => count === null)
    ? null
    : Math.max(...counts.map((count) => count ?? 0))
}

function tagsOf({ record }: Draft): [string, Scalar[]][] {
  const tags: [string, Scalar[]][] = []
  for (const [name, { alternatives }] of record.properties) {
    if (alternatives.length === 0 || alternatives.some(({ values }) => values === null)) continue
    tags.push([name, alternatives.flatMap(({ values }) => values ?? [])])
  }
  return tags
}
