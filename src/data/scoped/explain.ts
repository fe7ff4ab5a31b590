import {
  CaseNode,
  createQueryId,
  type OperationNode,
  type QueryCompiler,
  SelectionNode,
  ValueNode,
  WhenNode,
} from 'kysely'
import { assert } from '../../base/index.ts'
import type { Database } from '../open.ts'
import type { Resource, RowAction } from '../resource.ts'
import { ownerClause, ruleClause } from '../rule-text.ts'
import type { Scope } from '../scope.ts'
import { callerIn } from './caller.ts'
import { aliased, columnOf, compare, type Predicate, selectWhere, sqlOf, value } from './nodes.ts'
import { type Judging, ownerPredicate, rowAt, rowPredicate, rulePredicate } from './predicate.ts'
import { boundParameters, Slot } from './slot.ts'

/** What one rule says about one row and caller. */
export interface Verdict {
  /** The rule, as a clause. */
  readonly rule: string
  readonly allows: boolean
}

/** Why a caller may, or may not, do something to a row. For developers and administrators, never for a reply. */
export interface Explanation {
  readonly resource: string
  readonly key: string
  /** Whether the row is there at all. */
  readonly exists: boolean
  /** What the caller may do to it in the end. */
  readonly may: Readonly<Record<RowAction, boolean>>
  /** Each rule by itself, in the order of the declaration. */
  readonly verdicts: readonly Verdict[]
}

interface Question {
  readonly rule: string
  readonly predicate: Predicate
}

const actions: readonly RowAction[] = ['read', 'update', 'delete', 'owner']

/** Asks each rule by itself, and all of them together, about one row. */
export async function explainRow(
  database: Database,
  resources: readonly Resource[],
  compiler: QueryCompiler,
  { resource, scope, key }: { readonly resource: Resource; readonly scope: Scope; readonly key: string },
): Promise<Explanation> {
  const judging: Judging = { resources, caller: callerIn(scope) }
  const asked = [
    ...questionsOf(judging, resource),
    ...actions.map((action) => inAll(judging, resource, action)),
  ]
  const here = compare(
    columnOf(resource.table, resource.key),
    '=',
    value(new Slot(({ values }) => values[0])),
  )
  const node = selectWhere(
    resource.table,
    here,
    asked.map(({ predicate }, index) =>
      SelectionNode.create(aliased(oneOrNot(predicate), `answer_${index}`)),
    ),
  )
  const compiled = compiler.compileQuery(node, createQueryId())
  const run = { values: [key], scope, now: '', idOf: () => '' }
  const { rows } = await database.db.executeQuery<Record<string, unknown>>({
    ...compiled,
    parameters: boundParameters(compiled.parameters, run),
  })
  const [row] = rows
  const answers = asked.map((_, index) => row?.[`answer_${index}`] === 1)
  const ruleCount = asked.length - actions.length
  return {
    resource: resource.name,
    key,
    exists: row !== undefined,
    may: mayOf(answers.slice(ruleCount)),
    verdicts: asked.slice(0, ruleCount).map(({ rule }, index) => ({ rule, allows: answers[index] ?? false })),
  }
}

function questionsOf(judging: Judging, resource: Resource): Question[] {
  const row = rowAt(resource.table)
  const { owner, tenant, grants } = resource
  const { read, update, delete: remove } = grants
  const isShared = owner.kind === 'shared'
  const byRule = (name: string, rules: typeof read): Question[] =>
    rules.map((rule) => ({
      rule: `${name}: ${ruleClause(rule)}`,
      predicate: rulePredicate(judging, resource, rule, row, 0),
    }))
  return [
    ...(tenant === undefined
      ? []
      : [
          {
            rule: `tenant: ${tenant} is the caller's`,
            predicate: judging.caller.isTenant(row.column(tenant)),
          },
        ]),
    {
      rule: `owner: ${ownerClause(owner)}`,
      predicate: isShared ? true : ownerPredicate(judging, resource, row, 0),
    },
    ...byRule(
      'read',
      read.filter((rule) => !update.includes(rule) && !remove.includes(rule)),
    ),
    ...byRule('update', update),
    ...byRule('delete', remove),
  ]
}

function inAll(judging: Judging, resource: Resource, action: RowAction): Question {
  return { rule: action, predicate: rowPredicate(judging, resource, action) }
}

function oneOrNot(predicate: Predicate): OperationNode {
  const when = WhenNode.cloneWithResult(WhenNode.create(sqlOf(predicate)), ValueNode.createImmediate(1))
  return CaseNode.cloneWith(CaseNode.cloneWithWhen(CaseNode.create(), when), {
    else: ValueNode.createImmediate(0),
  })
}

function mayOf(answers: readonly boolean[]): Record<RowAction, boolean> {
  assert(answers.length === actions.length, 'one answer for each action')
  const [read = false, update = false, remove = false, owner = false] = answers
  return { read, update, delete: remove, owner }
}
