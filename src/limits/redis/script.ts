import { sha1Hex } from '../../crypto/index.ts'
import { faultOf } from './fault.ts'
import type { Link } from './link.ts'

/** A program that Redis runs in one step, with nothing in between. */
export interface Script {
  readonly source: string
  /** The name under which Redis keeps it. */
  readonly sha1: string
}

export function scriptOf(source: string): Script {
  return { source, sha1: sha1Hex(source) }
}

/**
 * Runs a script by its name, in one round trip; where Redis does not know it, after a flush or a restart, by its text.
 *
 * @param keys At least one, all in one slot.
 * @throws RedisFault
 */
export async function run(
  link: Link,
  script: Script,
  keys: readonly string[],
  values: readonly string[],
): Promise<unknown> {
  const [first = ''] = keys
  const rest = [String(keys.length), ...keys, ...values]
  try {
    return await link.send(first, ['EVALSHA', script.sha1, ...rest])
  } catch (error) {
    const fault = faultOf(error)
    if (fault.code !== 'NOSCRIPT') throw fault
  }
  try {
    return await link.send(first, ['EVAL', script.source, ...rest])
  } catch (error) {
    throw faultOf(error)
  }
}
