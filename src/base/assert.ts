/**
 * States what must be true if our own code is right; a failure is a bug in Holdfast, never a fault of input.
 *
 * @throws Error with `message`; the HTTP edge answers it as a 500 and logs the cause.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Bug in Holdfast, please report it: ${message}`)
}

/** Closes a `switch` over a union: a member that was forgotten does not compile. */
export function unreachable(value: never): never {
  throw new Error(`Bug in Holdfast, please report it: unexpected ${JSON.stringify(value)}`)
}
