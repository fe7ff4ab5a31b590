import type { CountClaim, CountDelta, SharedCounts } from '../limits/index.ts'
import type { WorkerSeat } from './seat.ts'

/** Who keeps the counts: the thread that has started the workers. */
export interface CountKeeper {
  add(deltas: readonly CountDelta[], nowMs: number): readonly number[]
  claim(claim: CountClaim, nowMs: number): boolean
}

/** What workers ask about counts. */
type Question =
  | { readonly kind: 'add'; readonly deltas: readonly CountDelta[] }
  | { readonly kind: 'claim'; readonly claim: CountClaim }

/** Answers what workers ask about counts. The clock is the keeper's, so that it is one for all. */
export function countAnswers(keeper: CountKeeper): (topic: string, value: Question) => unknown {
  return (topic, question) => {
    if (topic !== 'counts') return undefined
    const nowMs = performance.now()
    return question.kind === 'add' ? keeper.add(question.deltas, nowMs) : keeper.claim(question.claim, nowMs)
  }
}

/** Counts that the workers of a process share. No request waits for them. */
export function workerCounts(seat: Pick<WorkerSeat, 'ask'>): SharedCounts {
  const asked = (question: Question): Promise<unknown> => seat.ask('counts', question)
  return {
    async add(deltas) {
      const totals = await asked({ kind: 'add', deltas })
      return Array.isArray(totals) ? totals.map(Number) : []
    },
    claim: async (claim) => (await asked({ kind: 'claim', claim })) === true,
    ready: async () => undefined,
    close: async () => undefined,
  }
}
