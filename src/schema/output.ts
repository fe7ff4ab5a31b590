import { type InputFault, Problem } from '../errors/index.ts'
import { describeSchema } from './describe.ts'
import { faultsIn } from './inspect.ts'
import { compileProjection, isScalar } from './projection.ts'
import { readShape } from './read-shape.ts'
import type { Shape } from './shape.ts'
import type { JsonSchema, Schema } from './standard.ts'
import { swiftFit } from './swift-fit.ts'
import { refusals, type Verdict, validatorOf } from './validator.ts'

/** The outcome of cutting an output to its schema. */
export type Projected =
  /** Ready for `JSON.stringify`. */
  | { readonly ok: true; readonly value: unknown }
  /** Why not, for the log: places and expectations, no values. */
  | { readonly ok: false; readonly reason: string }

/**
 * Compiles the way out: what a handler returns is cut to the declared keys, validated by the schema's library, and
 * looked over once more, so that nothing leaves that the published schema does not describe.
 *
 * The function throws `INTERNAL` when the schema throws.
 *
 * @param json What {@link describeSchema} gives for the schema's output side.
 * @see OWASP ASVS 5.0 §15.3.1
 */
export function compileOutput(
  schema: Schema,
  json: JsonSchema,
): (value: unknown) => Projected | Promise<Projected> {
  // A handler gives what the schema takes; that differs from what it gives where the schema has defaults or transforms.
  const described = describeSchema(schema, 'input')
  const taken = described.ok ? described.json : json
  const cutTaken = compileProjection(taken)
  const cutGiven = compileProjection(json)
  const takenShape = readShape(taken)
  const givenShape = readShape(json)
  const validate = validatorOf(schema)
  const isReady = readyForValidation(takenShape)
  const fitsGiven = swiftFit(givenShape)

  return (value) => {
    const cut = isReady(value) ? { ok: true as const, value } : attempt(() => cutTaken(value))
    if (!cut.ok) return cut
    const verdict = validate(cut.value)
    return verdict instanceof Promise
      ? verdict.then((late) => projectedOf(cut.value, late))
      : projectedOf(cut.value, verdict)
  }

  function projectedOf(cut: unknown, verdict: Verdict): Projected {
    if (verdict.issues !== undefined) {
      return { ok: false, reason: sentenceOf(refusals(takenShape, cut, verdict.issues)) }
    }
    const faults = lookedOver(verdict.value)
    if (faults === null) return { ok: true, value: verdict.value }
    // A transform can add keys after the first cut.
    const again = attempt(() => cutGiven(verdict.value))
    if (!again.ok) return again
    const left = lookedOver(again.value)
    return left === null ? again : { ok: false, reason: sentenceOf(left) }
  }

  function lookedOver(value: unknown): readonly InputFault[] | null {
    return fitsGiven(value, 0) ? null : faultsIn(givenShape, value)
  }
}

/**
 * Whether a value can go to the validation as it is: a plain object of scalars, where the schema takes keys that it does
 * not name. What it lets through of them is cut off behind the validation.
 */
function readyForValidation({ alternatives }: Shape): (value: unknown) => boolean {
  const [only] = alternatives
  if (alternatives.length !== 1 || only === undefined) return () => false
  const { kinds, record } = only
  const names = [...record.properties.keys()]
  // No inherited member, such as `constructor`, may be taken for a column.
  const isSafe = record.loose && !names.some((name) => name in Object.prototype)
  if (kinds?.has('object') !== true || !isSafe) return () => false
  return (value) => {
    if (typeof value !== 'object' || value === null) return false
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return false
    for (const member of Object.values(value)) if (!isScalar(member)) return false
    return true
  }
}

function attempt(cut: () => unknown): Projected {
  try {
    return { ok: true, value: cut() }
  } catch (error) {
    if (error instanceof Problem) return { ok: false, reason: error.reason }
    throw error
  }
}

function sentenceOf(faults: readonly InputFault[]): string {
  return faults.map(({ path, message }) => `${path === '' ? 'the whole' : path}: ${message}`).join('; ')
}
