/**
 * Goes on with a value: at once when it is there, and when it comes otherwise. A promise for what is there already costs
 * a turn of the microtask queue, several times a request.
 *
 * @returns what `next` does, or a promise of it; it throws what `next` throws only where the value was there
 * @example after(store.find(id), (row) => row ?? refuse())
 */
export function after<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Makes a promise of anything that can be waited for, which another library's may be; all else stays what it is. */
export function settled(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Promise) return value
  return 'then' in value && typeof value.then === 'function' ? Promise.resolve(value) : value
}
