import type { InputFault } from '../errors/index.ts'
import { faultsIn } from './inspect.ts'
import { readShape } from './read-shape.ts'
import type { Shape } from './shape.ts'
import type { JsonSchema, Schema } from './standard.ts'
import { swiftFit } from './swift-fit.ts'
import { refusals, type Verdict, validatorOf } from './validator.ts'

/** The outcome of checking an input. */
export type Checked =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly errors: readonly InputFault[] }

/**
 * Compiles the check of an input: undeclared keys are refused first, then whatever does not have the structure that
 * the schema publishes, then whatever the schema's own library refuses. Faults name declared places, at most 20, and
 * never repeat what was sent.
 *
 * The function answers at once unless the schema is asynchronous, and throws `INTERNAL` when the schema throws.
 *
 * @param json What {@link describeSchema} gives for the schema's input side.
 * @see OWASP ASVS 5.0 §2.2.1, §15.3.3, §15.3.5
 */
export function compileInput(
  schema: Schema,
  json: JsonSchema,
): (value: unknown) => Checked | Promise<Checked> {
  const shape = readShape(json)
  const validate = validatorOf(schema)
  const fits = swiftFit(shape)
  return (value) => {
    const errors = fits(value, 0) ? null : faultsIn(shape, value)
    if (errors !== null) return { ok: false, errors }
    const verdict = validate(value)
    return verdict instanceof Promise
      ? verdict.then((late) => checkedOf(shape, value, late))
      : checkedOf(shape, value, verdict)
  }
}

function checkedOf(shape: Shape, value: unknown, verdict: Verdict): Checked {
  if (verdict.issues !== undefined) return { ok: false, errors: refusals(shape, value, verdict.issues) }
  return { ok: true, value: verdict.value }
}
