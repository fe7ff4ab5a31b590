/**
 * Sets a property of any name as an own one. Assigning to `__proto__` would change the prototype instead.
 *
 * @see OWASP ASVS 5.0 §15.3.6 (prototype pollution)
 */
export function define(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') target[name] = value
  else Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true })
}

/** An object, seen by the names of its properties. */
export type Members = Readonly<Record<string, unknown>>

/** True for an object that is no list. Which of its properties are its own is for the caller to ask. */
export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of an own property; `undefined` when it is absent or inherited. */
export function ownValue(target: Members, name: string): unknown {
  return Object.hasOwn(target, name) ? target[name] : undefined
}
