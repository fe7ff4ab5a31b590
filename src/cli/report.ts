/**
 * The text by which an error explains itself to whoever configures the server: a settings fault, a refusal of the
 * boot gate. Known by its shape, since the application may have come with another copy of the package.
 */
export function reportOf(error: unknown): string | undefined {
  return error instanceof Error && 'report' in error && typeof error.report === 'string'
    ? error.report
    : undefined
}
