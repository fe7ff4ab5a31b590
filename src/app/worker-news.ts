import { SharedPlaces } from '../limits/index.ts'
import type { HashPlaces } from '../passwords/index.ts'
import type { RevocationIndex } from '../sessions/index.ts'
import type { WorkerSeat } from '../workers/index.ts'

// Each worker reads the tables a few times a second in any case: one that does not answer in time is late, not wrong.
const newsMs = 250

/**
 * Takes up here what this worker has just committed, and has the other workers take it up: when the request that
 * caused it is answered, all of them know.
 *
 * @param takeUp How a worker takes it up.
 * @example const note = withWorkers(worker, 'bans', (record) => follower.note(record))
 */
export function withWorkers<T>(
  worker: WorkerSeat | undefined,
  topic: string,
  takeUp: (value: T) => Promise<void>,
): (value: T) => Promise<void> {
  if (worker === undefined) return takeUp
  worker.hear(topic, takeUp)
  return async (value) => {
    await Promise.all([takeUp(value), worker.gather(topic, value, newsMs)])
  }
}

/** The index of revocations, which tells the other workers of what it has read. */
export function revocationsOf(index: RevocationIndex, worker: WorkerSeat | undefined): RevocationIndex {
  if (worker === undefined) return index
  const noteCommitted = withWorkers<null>(worker, 'revocations', () => index.noteCommitted())
  return {
    isLive: (claims) => index.isLive(claims),
    noteCommitted: () => noteCommitted(null),
    get isFresh() {
      return index.isFresh
    },
    close: () => index.close(),
  }
}

/** Where the workers of a machine count together how many passwords are hashed: its cores and its memory are one. */
export function hashPlacesOf(worker: WorkerSeat | undefined): HashPlaces | undefined {
  if (worker === undefined) return undefined
  const places = new SharedPlaces('hashing', worker.memory)
  return { enter: (maxCount) => places.enter('hash', maxCount), leave: () => places.leave('hash') }
}
