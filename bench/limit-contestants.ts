import { assert } from '../src/base/index.ts'
import { memoryStore, per, policyOf } from '../src/limits/index.ts'

// The stores that are compared, each as an application would call it: one decision about one key, after the other.

/** One way to count. */
export interface Contestant {
  /** Decides about these keys in turn. */
  decide(keys: readonly string[]): void | Promise<void>
}

export type ContestantName =
  | 'holdfast'
  | 'holdfast, told the time'
  | 'holdfast sliding'
  | 'rate-limiter-flexible'
  | 'express-rate-limit'

// Each key is decided about five times. Nobody is refused, and no bucket is full again, while it is measured.
const windowSeconds = 3_600
const count = 10

/** Makes one, with room for that many keys. */
export async function contestant(name: ContestantName, keyCount: number): Promise<Contestant> {
  switch (name) {
    case 'holdfast':
      return holdfast('gcra', keyCount)
    // The store by itself: it has no clock of its own, and the libraries read theirs for each decision.
    case 'holdfast, told the time':
      return holdfastAt(keyCount)
    case 'holdfast sliding':
      return holdfast('sliding-window', keyCount)
    case 'rate-limiter-flexible': {
      const made = await construct(name, 'RateLimiterMemory', { points: count, duration: windowSeconds })
      return { decide: (keys) => eachKey(keys, (key) => call(made, 'consume', key)) }
    }
    case 'express-rate-limit': {
      const made = await construct(name, 'MemoryStore')
      await call(made, 'init', { windowMs: windowSeconds * 1_000 })
      return { decide: (keys) => eachKey(keys, (key) => call(made, 'increment', key)) }
    }
    default:
      return name satisfies never
  }
}

function holdfast(algorithm: 'gcra' | 'sliding-window', keyCount: number): Contestant {
  const policy = policyOf(per('hour', count, { algorithm }), { name: 'measured' })
  const store = memoryStore({ keyCount })
  return {
    decide(keys) {
      for (const key of keys) {
        const decision = store.consume([{ policy, key }], Date.now())
        assert(!(decision instanceof Promise) && decision.allowed, 'nobody is refused while it is measured')
      }
    },
  }
}

function holdfastAt(keyCount: number): Contestant {
  const policy = policyOf(per('hour', count), { name: 'measured' })
  const store = memoryStore({ keyCount })
  return {
    decide(keys) {
      const nowMs = Date.now()
      for (const key of keys) {
        const decision = store.consume([{ policy, key }], nowMs)
        assert(!(decision instanceof Promise) && decision.allowed, 'nobody is refused while it is measured')
      }
    },
  }
}

async function eachKey(keys: readonly string[], decide: (key: string) => unknown): Promise<void> {
  for (const key of keys) await decide(key)
}

/** A method of something whose types are only there once `bench/node_modules` is. */
function call(target: object, method: string, argument: unknown): unknown {
  const found: unknown = Reflect.get(target, method)
  assert(typeof found === 'function', `there is a method ${method}`)
  return Reflect.apply(found, target, [argument])
}

async function construct(specifier: string, name: string, ...args: unknown[]): Promise<object> {
  const loaded: unknown = await import(specifier)
  const found: unknown = Reflect.get(Object(loaded), name)
  assert(typeof found === 'function', `${specifier} has ${name}`)
  const made: unknown = Reflect.construct(found, args)
  assert(typeof made === 'object' && made !== null, `${name} makes an object`)
  return made
}
