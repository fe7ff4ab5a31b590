/**
 * A JSON Pointer to a place in a value. A place that stands for many (a map's values, a list's items in a schema) is
 * written as `*`.
 *
 * @see RFC 6901 §3
 * @example pointerOf(['tags', 0, 'a/b']) // '/tags/0/a~1b'
 */
export function pointerOf(steps: readonly (string | number)[]): string {
  let pointer = ''
  for (const step of steps) pointer += `/${typeof step === 'number' ? step : escapeStep(step)}`
  return pointer
}

function escapeStep(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** The steps of a pointer in the fragment of a `$ref`, without its `#`; `undefined` when it is not written rightly. */
export function stepsOf(fragment: string): string[] | undefined {
  if (fragment === '') return []
  return decoded(fragment)
    ?.split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function decoded(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment)
  } catch {
    return undefined
  }
}
