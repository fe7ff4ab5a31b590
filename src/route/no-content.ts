import type { JsonSchema, Schema } from '../schema/standard.ts'

/**
 * The output of a route that answers 204: the handler returns nothing.
 *
 * @example output: noContent
 */
export const noContent: Schema<void> = {
  '~standard': {
    version: 1,
    vendor: 'holdfast',
    validate: (value) => (value === undefined ? { value } : { issues: [{ message: 'expected nothing' }] }),
  },
}

/** The JSON Schema that stands for no content. */
export const nothing: JsonSchema = { not: {} }
