/** What a parser says about a text: the value it means, or what is wrong with it and what to give instead. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false
      /** What is wrong, as the end of a sentence that starts with the variable. Never the text itself. */
      readonly problem: string
      /** What to do about it, as an imperative. */
      readonly fix: string
    }

/** Reads one text. Pure: it looks at no file and at no other setting. */
export type Parser<T> = (text: string) => Parsed<T>

/** What holds when the variable is not set. */
export type Fallback =
  /** This text, which is parsed like one that was given. */
  | { readonly kind: 'text'; readonly text: string }
  /** Something the loader works out, in words. */
  | { readonly kind: 'rule'; readonly says: string }

/** One setting: the only place that says anything about it. Loader, help and documents are made from it. */
export interface Setting<T> {
  /** What the code calls it: `logLevel`. */
  readonly name: string
  /** The environment variable: `LOG_LEVEL`. `LOG_LEVEL_FILE` names a file that holds the value. */
  readonly env: string
  readonly fallback: Fallback
  /** What kind of text it takes: `TCP port`, `base64`. */
  readonly unit: string
  /** Which of those it takes: `0 to 65535`. */
  readonly range: string
  /** True where production refuses to boot without it. */
  readonly neededInProduction: boolean
  /** One or two sentences for whoever sets it. */
  readonly help: string
  readonly parse: Parser<T>
}

export function good<T>(value: T): Parsed<T> {
  return { ok: true, value }
}

export function bad(problem: string, fix: string): Parsed<never> {
  return { ok: false, problem, fix }
}

/** Exactly one of the words. */
export function oneOf<Word extends string>(words: readonly Word[]): Parser<Word> {
  return (text) => {
    const found = words.find((word) => word === text)
    return found === undefined
      ? bad('is none of the known words', `write one of ${words.join(', ')}`)
      : good(found)
  }
}

/** At most so many entries, separated by commas; blanks around an entry do not count. */
export function listOf<T>(parse: Parser<T>, maxCount: number): Parser<readonly T[]> {
  return (text) => {
    const entries = text.split(',').map((entry) => entry.trim())
    if (entries.length > maxCount) return bad(`has more than ${maxCount} entries`, 'give fewer')
    const values: T[] = []
    for (const [index, entry] of entries.entries()) {
      const where = entries.length === 1 ? '' : `: entry ${index + 1}`
      if (entry === '') return bad(`has an empty entry${where}`, 'separate entries with one comma')
      const parsed = parse(entry)
      if (!parsed.ok) return bad(`${parsed.problem}${where}`, parsed.fix)
      values.push(parsed.value)
    }
    return good(Object.freeze(values))
  }
}
