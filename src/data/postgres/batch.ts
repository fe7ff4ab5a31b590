import type { Connection, Submittable } from 'pg'
import { assert } from '../../base/index.ts'
import { Problem } from '../../errors/index.ts'
import { type Field, type Naming, type PreparedNames, unnamed } from './prepared-names.ts'
import { bindable, readerOf } from './values.ts'

/** One statement with its parameters. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
  /** True where nobody asks for its rows. */
  readonly isQuiet?: boolean
  /** True for a text that is not sent often, so that it takes the name of no other. */
  readonly isRare?: boolean
}

/** What one statement gave. */
export interface StatementOutcome {
  readonly rows: readonly Record<string, unknown>[]
  /** Rows that it changed or gave; `undefined` for statements that count none. */
  readonly count: number | undefined
  /** What the server says it has done: `INSERT 0 1`, `COMMIT`. */
  readonly tag: string
}

/**
 * Several statements in one round trip: they are written together with one Sync at their end. Outside of a transaction
 * they share the one that PostgreSQL opens by itself until the Sync, so that a setting of the first, made for that
 * transaction alone, holds for the second and is gone afterwards.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export class Batch implements Submittable {
  readonly outcome: Promise<readonly StatementOutcome[]>
  readonly #statements: readonly Statement[]
  readonly #names: PreparedNames
  readonly #settled = Promise.withResolvers<readonly StatementOutcome[]>()
  readonly #outcomes: StatementOutcome[] = []
  /** Under which name each statement was sent. */
  readonly #namings: Naming[] = []
  /** The columns of the statement that runs, where the server has told them in this batch. */
  #fields: readonly Field[] | undefined
  #rows: Record<string, unknown>[] = []
  #failure: unknown
  #stopListening: () => void = () => undefined

  constructor(statements: readonly Statement[], names: PreparedNames) {
    this.#statements = statements
    this.#names = names
    this.outcome = this.#settled.promise
  }

  /** Called by the client when it is this batch's turn. */
  submit(connection: Connection): Error | null {
    let values: (string | Buffer | null)[][]
    try {
      // Before anything is written: a batch is sent whole or not at all.
      values = this.#statements.map((statement) => boundValues(statement))
    } catch (error) {
      this.#settled.reject(error)
      values = []
      connection.sync()
      return null
    }
    const parsing: string[] = []
    connection.stream.cork()
    for (const [index, { text, isQuiet, isRare }] of this.#statements.entries()) {
      const naming = isRare ? unnamed : this.#names.nameOf(text, parsing)
      this.#namings.push(naming)
      const { name } = naming
      if (naming.isNew) {
        parsing.push(name === '' ? '' : text)
        connection.parse({ name, text, types: [] }, true)
      }
      connection.bind({ portal: '', statement: name, values: values[index] ?? [] }, true)
      if (isQuiet !== true && naming.fields === undefined) connection.describe({ type: 'P', name: '' }, true)
      connection.execute({ portal: '', rows: '' }, true)
    }
    connection.sync()
    connection.stream.uncork()
    // Nothing is answered before this returns.
    if (parsing.length > 0) this.#listen(connection, parsing)
    return null
  }

  /** Notes what the server has prepared, text by text. */
  #listen(connection: Connection, parsing: string[]): void {
    const onParsed = (): void => {
      const text = parsing.shift()
      if (text !== undefined && text !== '') this.#names.keep(text)
    }
    connection.on('parseComplete', onParsed)
    this.#stopListening = () => connection.off('parseComplete', onParsed)
  }

  handleRowDescription({
    fields,
  }: {
    readonly fields: readonly { name: string; dataTypeID: number }[]
  }): void {
    this.#fields = fields.map(({ name, dataTypeID }) => ({ name, read: readerOf(dataTypeID) }))
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    if (this.#failure !== undefined) return
    const row: Record<string, unknown> = {}
    const known = this.#fields ?? this.#namings[this.#outcomes.length]?.fields ?? []
    try {
      for (let index = 0; index < known.length; index += 1) {
        const field = known[index]
        const text = fields[index] ?? null
        if (field !== undefined) row[field.name] = text === null ? null : field.read(text)
      }
    } catch (error) {
      this.#failure = error
    }
    this.#rows.push(row)
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    const statement = this.#statements[this.#outcomes.length]
    const naming = this.#namings[this.#outcomes.length]
    // What was described and has no columns gives none the next time either.
    if (statement?.isQuiet !== true && naming?.fields === undefined)
      this.#names.describe(statement?.text ?? '', this.#fields ?? [])
    const counted = /^(?:SELECT|INSERT|UPDATE|DELETE|MERGE).* (\d+)$/.exec(text)?.[1]
    this.#outcomes.push({
      rows: this.#rows,
      count: counted === undefined ? undefined : Number(counted),
      tag: text,
    })
    this.#fields = undefined
    this.#rows = []
  }

  handleEmptyQuery(): void {
    this.#failure ??= new Problem('INTERNAL', 'an empty statement')
  }

  handlePortalSuspended(): void {
    this.#failure ??= new Problem('INTERNAL', 'a statement gave only a part of its rows')
  }

  handleCopyInResponse(connection: Connection & { sendCopyFail?: (reason: string) => void }): void {
    connection.sendCopyFail?.('copy is not offered here')
  }

  handleCopyData(): void {}

  handleError(error: unknown): void {
    this.#stopListening()
    this.#settled.reject(error)
  }

  handleReadyForQuery(): void {
    this.#stopListening()
    if (this.#failure === undefined) this.#settled.resolve(this.#outcomes)
    else this.#settled.reject(this.#failure)
  }
}

function boundValues({ text, values }: Statement): (string | Buffer | null)[] {
  // In the protocol a NUL byte ends the text, and what follows would be read as the rest of the message.
  assert(!text.includes('\0'), 'a statement has no NUL byte')
  return values.map(bindable)
}
