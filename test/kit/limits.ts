import type { LimitStore } from '../../src/limits/index.ts'

/** A store that decides otherwise, and is the given one in everything else. */
export function storeWith(store: LimitStore, consume: LimitStore['consume']): LimitStore {
  return {
    consume,
    refund: (checks, nowMs) => store.refund(checks, nowMs),
    refusedMs: (checks, nowMs) => store.refusedMs(checks, nowMs),
    close: () => store.close(),
  }
}
