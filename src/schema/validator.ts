import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type InputFault, Problem } from '../errors/index.ts'
import { notAcceptable, refusalOf } from './expectation.ts'
import { inOrder } from './inspect.ts'
import { pointerOf } from './pointer.ts'
import type { Alternative, Shape } from './shape.ts'
import type { Schema } from './standard.ts'

/** What a library says of a value. */
export type Verdict = StandardSchemaV1.Result<unknown>

/**
 * A schema's own validation, told to convert nothing (Joi would take "1" for a number) and to report everything.
 *
 * The function throws `INTERNAL` when the validator throws: a check that fails to run has not passed.
 */
export function validatorOf(schema: Schema): (value: unknown) => Verdict | Promise<Verdict> {
  const checked = strict(schema)
  const standard = checked['~standard']
  let later: ((value: unknown) => Promise<Verdict>) | undefined
  return (value) => {
    try {
      if (later !== undefined) return later(value).catch(broken)
      const verdict = standard.validate(value)
      if (!(verdict instanceof Promise)) return verdict
      later = laterOf(checked)
      return verdict.catch(broken)
    } catch (error) {
      return broken(error)
    }
  }
}

function broken(error: unknown): never {
  throw new Problem('INTERNAL', 'a schema threw instead of answering', { cause: error })
}

/**
 * Zod looks for an asynchronous check by beginning without waiting, each time, and drops the promise that it finds: were
 * that one rejected, nobody would hear of it and the process would end. Known to be asynchronous, it is asked so at once.
 */
function laterOf(schema: object): ((value: unknown) => Promise<Verdict>) | undefined {
  if (!('safeParseAsync' in schema) || typeof schema.safeParseAsync !== 'function') return undefined
  const parse = schema.safeParseAsync
  return async (value) => {
    const parsed: { data?: unknown; error?: { issues: StandardSchemaV1.Issue[] } } = await Reflect.apply(
      parse,
      schema,
      [value],
    )
    return parsed.error === undefined ? { value: parsed.data } : { issues: parsed.error.issues }
  }
}

interface Configurable {
  prefs(preferences: { readonly convert: boolean; readonly abortEarly: boolean }): unknown
}

/** Joi's preferences by their shape, because Joi is the application's dependency and not ours. */
function strict(schema: Schema): Schema {
  if (schema['~standard'].vendor !== 'joi' || !isConfigurable(schema)) return schema
  const configured = schema.prefs({ convert: false, abortEarly: false })
  return isSchema(configured) ? configured : schema
}

function isConfigurable(value: object): value is Configurable {
  return 'prefs' in value && typeof value.prefs === 'function'
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && '~standard' in value
}

/** What a library refused, said in our words: places the schema declares, and what is expected there. */
export function refusals(
  shape: Shape,
  value: unknown,
  issues: readonly StandardSchemaV1.Issue[],
): InputFault[] {
  return inOrder(issues.map(({ path }) => refusalAt(shape, value, path ?? [])))
}

type IssuePath = NonNullable<StandardSchemaV1.Issue['path']>

function refusalAt(root: Shape, whole: unknown, path: IssuePath): InputFault {
  const steps: (string | number)[] = []
  let shape = root
  let value = whole
  for (const segment of path) {
    const key = typeof segment === 'object' ? segment.key : segment
    const step = stepInto(shape, value, key)
    // Further in, the path is the library's or the client's own; the last declared place is as far as we say.
    if (step === undefined) return { path: pointerOf(steps), message: notAcceptable }
    steps.push(step.name)
    shape = step.shape
    value = step.value
  }
  return { path: pointerOf(steps), message: refusalOf(shape, value) }
}

interface Step {
  readonly name: string | number
  readonly shape: Shape
  readonly value: unknown
}

function stepInto({ alternatives }: Shape, value: unknown, key: PropertyKey): Step | undefined {
  if (typeof value !== 'object' || value === null || typeof key === 'symbol') return undefined
  const inner: unknown = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
  if (Array.isArray(value)) {
    const index = Number(key)
    return Number.isInteger(index) && index >= 0 && index < value.length
      ? {
          name: index,
          shape: joined(alternatives.map(({ list }) => list.first[index] ?? list.rest)),
          value: inner,
        }
      : undefined
  }
  const name = String(key)
  const declared = alternatives.map(({ record }) => record.properties.get(name))
  if (declared.some((shape) => shape !== undefined)) return { name, shape: joined(declared), value: inner }
  const others = alternatives.map(({ record }) => record.rest)
  return others.some((shape) => shape !== null)
    ? { name: '*', shape: joined(others), value: inner }
    : undefined
}

/** Any of several shapes. */
function joined(shapes: readonly (Shape | null | undefined)[]): Shape {
  const found = shapes.filter((shape) => shape !== null && shape !== undefined)
  const [only] = found
  if (found.length === 1 && only !== undefined) return only
  const alternatives: Alternative[] = found.flatMap((shape) => shape.alternatives)
  return { alternatives, unsupported: [] }
}
