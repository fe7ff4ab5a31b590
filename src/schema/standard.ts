import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'

/**
 * A schema of any library that speaks Standard Schema (zod 4, valibot, arktype, joi 18 and more).
 *
 * It must be able to write itself as JSON Schema too; the boot gate says so when it cannot.
 *
 * @see https://standardschema.dev
 */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>

/** What a schema takes. */
export type InputOf<S> = S extends StandardSchemaV1<infer Input, unknown> ? Input : never

/** What a schema gives after validation. */
export type OutputOf<S> = S extends StandardSchemaV1<unknown, infer Output> ? Output : never

/** The standard's members for JSON Schema, when a schema has them. */
export type JsonSchemaSource = StandardJSONSchemaV1.Props

/** A JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = { readonly [keyword: string]: unknown }
