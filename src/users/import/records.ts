import { ImportFault } from './fault.ts'

/** The forms of a file of accounts: RFC 4180 with a header, or one JSON object on each line. */
export type ImportFormat = 'csv' | 'jsonl'

/** One record of a file: what it holds, or why it cannot be read. */
export type ImportRecord =
  | { readonly line: number; readonly values: ReadonlyMap<string, unknown> }
  | { readonly line: number; readonly fault: string }

// A quote that is never closed would otherwise gather the rest of the file.
const recordMaxChars = 65_536

/**
 * Reads the records of a file, one after the other; a record of any file takes a bounded amount of memory.
 *
 * @param chunks The bytes of the file, in UTF-8.
 * @throws ImportFault for a file that is not in this form
 * @see RFC 4180, RFC 8259
 */
export async function* recordsOf(
  chunks: AsyncIterable<Uint8Array>,
  format: ImportFormat,
  columns: readonly string[],
): AsyncGenerator<ImportRecord> {
  const text = textOf(chunks)
  yield* format === 'csv' ? csvRecords(text, columns) : jsonRecords(text, columns)
}

async function* textOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true })
    yield decoder.decode()
  } catch (error) {
    if (error instanceof TypeError) throw new ImportFault('The file is not in UTF-8.')
    throw error
  }
}

interface Row {
  readonly line: number
  readonly cells: readonly string[]
}

async function* csvRecords(
  text: AsyncIterable<string>,
  columns: readonly string[],
): AsyncGenerator<ImportRecord> {
  let header: readonly string[] | undefined
  for await (const { line, cells } of csvRows(text)) {
    if (header === undefined) {
      header = requireHeader(cells, columns)
      continue
    }
    if (cells.length === 1 && cells[0] === '') continue
    if (cells.length !== header.length) {
      yield { line, fault: `has ${cells.length} cells, and the header has ${header.length}` }
      continue
    }
    yield { line, values: new Map(header.map((name, index) => [name, cells[index]])) }
  }
}

function requireHeader(cells: readonly string[], columns: readonly string[]): readonly string[] {
  const unknown = cells.filter((name) => !columns.includes(name))
  const twice = cells.filter((name, index) => cells.indexOf(name) !== index)
  if (unknown.length === 0 && twice.length === 0 && cells.includes('email')) return cells
  const what =
    unknown.length > 0
      ? `a column ${JSON.stringify(unknown[0]?.slice(0, 40))}`
      : twice.length > 0
        ? `the column ${twice[0]} twice`
        : 'no column email'
  throw new ImportFault(`The first line has ${what}. It names columns among: ${columns.join(', ')}.`)
}

async function* csvRows(text: AsyncIterable<string>): AsyncGenerator<Row> {
  const reader = new CsvReader()
  for await (const chunk of text) {
    for (const character of chunk) {
      const row = reader.take(character)
      if (row !== undefined) yield row
    }
  }
  const last = reader.end()
  if (last !== undefined) yield last
}

/** RFC 4180, one character after the other. */
class CsvReader {
  #cells: string[] = []
  #cell = ''
  #charCount = 0
  #line = 1
  #startLine = 1
  #isFirst = true
  #state: 'start' | 'plain' | 'quoted' | 'quote' = 'start'

  take(character: string): Row | undefined {
    const isMark = this.#isFirst && character === '\uFEFF'
    this.#isFirst = false
    if (isMark) return undefined
    if (character === '\n') this.#line += 1
    this.#charCount += 1
    if (this.#charCount > recordMaxChars)
      throw new ImportFault(
        `The record at line ${this.#startLine} has more than ${recordMaxChars} characters. Is a quote not closed?`,
      )
    if (this.#state === 'quoted') {
      if (character === '"') this.#state = 'quote'
      else this.#cell += character
      return undefined
    }
    switch (character) {
      case '"':
        return this.#quote()
      case ',':
        this.#endCell()
        return undefined
      case '\n':
        return this.#endRow()
      default:
        return this.#add(character)
    }
  }

  end(): Row | undefined {
    if (this.#state === 'quoted')
      throw new ImportFault(`The record at line ${this.#startLine} has a quote that is not closed.`)
    return this.#charCount === 0 ? undefined : this.#endRow()
  }

  #quote(): undefined {
    if (this.#state === 'plain') return this.#add('"')
    // A doubled quote within quotes stands for one.
    if (this.#state === 'quote') this.#cell += '"'
    this.#state = 'quoted'
  }

  #add(character: string): undefined {
    if (this.#state === 'quote' && character !== '\r')
      throw new ImportFault(`The record at line ${this.#startLine} goes on after a closing quote.`)
    if (this.#state === 'start') this.#state = 'plain'
    this.#cell += character
  }

  #endCell(): void {
    this.#cells.push(this.#state === 'quote' ? this.#cell.replace(/\r$/, '') : this.#cell)
    this.#cell = ''
    this.#state = 'start'
  }

  #endRow(): Row {
    if (this.#cell.endsWith('\r')) this.#cell = this.#cell.slice(0, -1)
    this.#endCell()
    const row = { line: this.#startLine, cells: this.#cells }
    this.#cells = []
    this.#charCount = 0
    this.#startLine = this.#line
    return row
  }
}

async function* jsonRecords(
  text: AsyncIterable<string>,
  columns: readonly string[],
): AsyncGenerator<ImportRecord> {
  for await (const { line, content } of linesOf(text)) {
    if (content.trim() === '') continue
    const values = membersOf(content)
    if (values === undefined) yield { line, fault: 'is no JSON object' }
    else {
      const unknown = [...values.keys()].find((name) => !columns.includes(name))
      yield unknown === undefined
        ? { line, values }
        : { line, fault: `has an unknown member; there are ${columns.join(', ')}` }
    }
  }
}

function membersOf(content: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(content)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? new Map(Object.entries(parsed))
      : undefined
  } catch {
    return undefined
  }
}

async function* linesOf(
  text: AsyncIterable<string>,
): AsyncGenerator<{ readonly line: number; readonly content: string }> {
  let rest = ''
  let line = 0
  for await (const chunk of text) {
    const lines = (rest + (line === 0 && rest === '' ? chunk.replace(/^\uFEFF/, '') : chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const content of lines) {
      line += 1
      yield { line, content }
    }
    if (rest.length > recordMaxChars)
      throw new ImportFault(`Line ${line + 1} has more than ${recordMaxChars} characters.`)
  }
  if (rest !== '') yield { line: line + 1, content: rest }
}
