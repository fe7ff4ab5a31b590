// Class 40 of the SQLSTATE codes: the transaction was rolled back so that another could go on.
const givenWay: ReadonlySet<unknown> = new Set(['40001', '40P01'])

/** True when the same transaction may well succeed at the next attempt. */
export function isRetryable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  if ('code' in error && (givenWay.has(error.code) || isStalePlan(error))) return true
  return 'cause' in error && isRetryable(error.cause)
}

/** A table was altered under a statement that had been prepared before. */
function isStalePlan(error: object): boolean {
  return (
    'code' in error &&
    error.code === '0A000' &&
    'routine' in error &&
    error.routine === 'RevalidateCachedQuery'
  )
}
