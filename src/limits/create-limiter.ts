import { limitFaults } from '../route/limit-faults.ts'
import type { FieldStyle } from './fields.ts'
import type { LimitClass, LimitStore } from './limit.ts'
import { Limiter } from './limiter.ts'
import { memoryStore } from './memory-store.ts'

/** How a limiter is made that stands alone. */
export interface LimiterOptions {
  /**
   * Names it in header fields and problems; `limit` unless given. Limiters of one name and rule on one store share their
   * buckets, so each that shares a store needs a name of its own.
   */
  readonly name?: string
  /** Where the buckets live; a {@link memoryStore} of its own unless given. */
  readonly store?: LimitStore
  /** Which header fields it gives; the IETF ones unless given. */
  readonly fields?: FieldStyle
  /** Milliseconds on a clock that does not step back. For tests. */
  readonly nowMs?: () => number
}

/**
 * Makes a limiter, without the rest of Holdfast.
 *
 * @throws TypeError with everything that is wrong with the limits: a count that is none would let everybody through
 * @example const limiter = createLimiter(per('minute', 60, { by: ['address'] }), { name: 'search' })
 * @see OWASP ASVS 5.0 §2.4.1, §16.5.3
 */
export function createLimiter(limits: LimitClass, options: LimiterOptions = {}): Limiter {
  const { name = 'limit', store = memoryStore(), ...others } = options
  const faults = limitFaults(name, limits)
  if (faults.length > 0) {
    const lines = faults.map(({ fault, fix }) => `${fault}; write ${fix}`)
    throw new TypeError(`The limit "${name}" is none:\n${lines.join('\n')}`)
  }
  return new Limiter(limits, { name, store, ...others })
}
