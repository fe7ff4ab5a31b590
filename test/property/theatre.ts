import type { Scope } from '../../src/data/index.ts'
import type { Ground, Stage } from './engines.ts'
import { expectedInsert } from './expected-insert.ts'
import { type Ending, type Figures, isEnding } from './figures.ts'
import type { MadeInsert } from './inserts.ts'
import { Judge } from './judge.ts'
import { type Expected, type Outcome, outcomeOf, problemless } from './outcome.ts'
import { type Made, madeQuery, runOf, type Surroundings } from './queries.ts'
import { Disagreement, reportOf } from './report.ts'
import { allRows, differing, fill, textOf } from './rows-in.ts'
import type { MadeWrite } from './target.ts'
import { nowMs, type Rows, rowsOf, type World } from './world.ts'

const now = new Date(nowMs).toISOString()

/** A world on a stage, where queries are run and held against the reference. */
export class Theatre {
  readonly #ground: Ground
  readonly #world: World
  readonly #stage: Stage
  readonly #figures: Figures
  #judge: Judge
  #scope: Scope
  /** What the caller may read: the rows that the reference runs on. */
  #readable: Rows = new Map()

  private constructor(ground: Ground, world: World, stage: Stage, figures: Figures) {
    this.#ground = ground
    this.#world = world
    this.#stage = stage
    this.#figures = figures
    this.#scope = world.callers[0]
    this.#judge = new Judge(world.tables, world.rows, this.#scope)
  }

  static async open(ground: Ground, world: World, figures: Figures): Promise<Theatre> {
    const stage = await ground.stage(world.tables)
    for (const { name } of world.tables) await fill(stage.full, name, rowsOf(world.rows, name))
    return new Theatre(ground, world, stage, figures)
  }

  close(): Promise<void> {
    return this.#stage.close()
  }

  /** Fills the database of the reference with what a caller may read. */
  async enter(scope: Scope): Promise<void> {
    this.#scope = scope
    this.#judge = new Judge(this.#world.tables, this.#world.rows, scope)
    this.#readable = this.#judge.readable()
    for (const { name } of this.#world.tables) {
      await fill(this.#stage.readable, name, rowsOf(this.#readable, name))
    }
  }

  /**
   * Runs a query for the caller who has entered, and puts every row back.
   *
   * @param isNew Whether the query has not been run before, for the figures.
   * @throws Disagreement
   */
  async check(numbers: readonly number[], variant: 0 | 1, isNew: boolean): Promise<void> {
    const must: string[] = []
    const may: string[] = []
    const features = new Set<string>()
    const { tables, rows } = this.#world
    const base = { dialect: this.#ground.dialect, tables, variant }
    const scoped = madeQuery(numbers, {
      ...base,
      db: this.#stage.owned.as(this.#scope),
      reference: undefined,
      mustRefuse: (why) => must.push(why),
      mayRefuse: (why) => may.push(why),
      has: (feature) => features.add(feature),
    })
    const silent = { mustRefuse: () => {}, mayRefuse: () => {}, has: () => {} }
    const reference = { judge: this.#judge, now }
    const surroundings: Surroundings = { ...base, ...silent, db: this.#stage.readable, reference }
    const plain = madeQuery(numbers, surroundings)
    const actual = await outcomeOf(() => runOf(scoped))
    const after = scoped.kind === 'select' ? rows : await allRows(this.#stage.full, tables)
    const expected: Expected = must.length > 0 ? { is: 'refused' } : await this.#expected(plain)
    const ending = this.#compare(actual, after, expected, may.length > 0)
    if (!isEnding(ending)) {
      this.#figures.stop()
      const { dialect } = this.#ground
      const found = { problem: ending, dialect, world: this.#world, scope: this.#scope, plain }
      throw new Disagreement(reportOf({ ...found, actual, after, expected, must }))
    }
    if (isNew) this.#figures.query(scoped.kind, features)
    const isTelling = ending === 'equal' && (await this.#isTelling(numbers, surroundings, actual, after))
    this.#figures.run(scoped.kind, ending, isTelling)
    await this.#restore(after)
  }

  async #expected(plain: Made): Promise<Expected> {
    switch (plain.kind) {
      case 'select': {
        const outcome = await outcomeOf(() => runOf(plain))
        if (outcome.is !== 'answered') return { is: 'failed' }
        const { isOrdered } = plain.query
        return { ...outcome, after: this.#world.rows, isOrdered, isBlocked: false }
      }
      case 'update':
      case 'delete':
      case 'change in with':
        return this.#expectedChange(plain.query)
      case 'insert':
      case 'insert from select':
      case 'insert in with':
        return this.#expectedInsert(plain.query)
      default:
        return plain satisfies never
    }
  }

  /** The rows that the caller may read change as they do without rules; all others stay. */
  async #expectedChange(change: MadeWrite): Promise<Expected> {
    const outcome = await outcomeOf(change.run)
    if (outcome.is !== 'answered') return { is: 'failed' }
    const { name, key } = change.table
    const seen = new Set(rowsOf(this.#readable, name).map((row) => row[key]))
    const before = rowsOf(this.#world.rows, name)
    const others = before.filter((row) => !seen.has(row[key] ?? null))
    const left = await this.#stage.readable.selectFrom(name).selectAll().execute()
    const withheld = this.#judge.withheld(name)
    const whole = left.map((row) => {
      const stored = before.find((other) => other[key] === row[key])
      // What the caller was not given is still there, unless the change has set it.
      const kept = withheld.map((column) => [column, row[column] ?? stored?.[column] ?? null])
      return { ...row, ...Object.fromEntries(kept) }
    })
    return { ...outcome, after: this.#with(name, [...others, ...whole]), isOrdered: false, isBlocked: false }
  }

  async #expectedInsert(insert: MadeInsert): Promise<Expected> {
    const { name } = insert.table
    const inserting = {
      scope: this.#scope,
      judge: this.#judge,
      readable: this.#stage.readable,
      before: rowsOf(this.#world.rows, name),
      now,
    }
    const result = await problemless(() => expectedInsert(insert, inserting))
    if (result === undefined) return { is: 'failed' }
    if (result.is !== 'done') return result
    const { answer, after, isBlocked } = result
    return { is: 'answered', rows: answer, after: this.#with(name, after), isOrdered: false, isBlocked }
  }

  /** The whole database with other rows in one table. */
  #with(table: string, rows: Parameters<typeof textOf>[0]): Rows {
    return new Map([...this.#world.rows, [table, rows]])
  }

  /** How the run ended, or what is wrong about it. */
  #compare(actual: Outcome, after: Rows, expected: Expected, mayRefuse: boolean): Ending | string {
    const { tables, rows } = this.#world
    if (actual.is !== 'answered' && differing(tables, after, rows).length > 0)
      return 'The query failed, and rows have changed.'
    if (expected.is === 'open') return 'open'
    if (actual.is === 'refused') {
      if (expected.is === 'refused') return 'rightlyRefused'
      return mayRefuse ? 'refused' : 'A query was refused that can be answered.'
    }
    if (expected.is === 'refused') return 'A query ran that must be refused.'
    if (expected.is === 'failed') {
      if (actual.is === 'answered') return 'The query ran; in the reference it fails.'
      return actual.isInvalid ? 'invalid' : 'failed'
    }
    if (actual.is === 'failed') {
      const isBlocked = this.#ground.hasPolicies && expected.isBlocked && !actual.isInvalid
      return isBlocked ? 'failed' : 'The query failed; in the reference it runs.'
    }
    if (differing(tables, after, expected.after).length > 0) return 'The rows afterwards are not the same.'
    const { isOrdered } = expected
    if (textOf(actual.rows, isOrdered) !== textOf(expected.rows, isOrdered))
      return 'The answers are not the same.'
    return 'equal'
  }

  /** Whether the outcome depends on the rules: run without them on every row, a select gives something else. */
  async #isTelling(
    numbers: readonly number[],
    surroundings: Surroundings,
    actual: Outcome,
    after: Rows,
  ): Promise<boolean> {
    const made = madeQuery(numbers, { ...surroundings, db: this.#stage.full, reference: undefined })
    if (made.kind !== 'select') return differing(this.#world.tables, after, this.#world.rows).length > 0
    const outcome = await outcomeOf(() => runOf(made))
    return (
      outcome.is === 'answered' && actual.is === 'answered' && textOf(outcome.rows) !== textOf(actual.rows)
    )
  }

  /** Puts every row back where it was. */
  async #restore(after: Rows): Promise<void> {
    const { tables, rows } = this.#world
    if (after === rows) return
    for (const { name } of differing(tables, after, rows)) {
      await fill(this.#stage.full, name, rowsOf(rows, name))
    }
    const there = await allRows(this.#stage.readable, tables)
    for (const { name } of differing(tables, there, this.#readable)) {
      await fill(this.#stage.readable, name, rowsOf(this.#readable, name))
    }
  }
}
