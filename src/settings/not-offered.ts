import type { Secret } from '../base/index.ts'
import { bad, type Parsed } from './setting.ts'

// What the contract names and this version cannot do yet. Lifting one is deleting its function here: the
// setting's own parser knows the value already, and the compiler then asks every reader for the new case.

/** No Redis, so far. */
export function offeredRedis(_url: Secret): Parsed<never> {
  return bad('asks for Redis, which is not in this version', 'unset it: limits are kept in memory')
}
