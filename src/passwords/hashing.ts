import { availableParallelism } from 'node:os'
import {
  type Argon2Cost,
  argon2Floor,
  type HashVerdict,
  hashPassword,
  type Peppers,
  verifyPassword,
} from '../crypto/index.ts'
import { type HashPlaces, HashQueue } from './queue.ts'

/** Hashes and verifies passwords, a few at a time, so that the rest of the server keeps its speed. */
export interface PasswordHashing {
  /**
   * The hash of a password, in PHC form.
   *
   * @param from Whose turn it takes: the key of the client's address. The queue is fair between them.
   * @throws OVERLOADED when too many wait
   */
  hash(password: string, from: string): Promise<string>
  /**
   * Holds a password against a hash. Without one, for an address that has no account, it does the same work.
   *
   * @throws OVERLOADED when too many wait
   */
  verify(password: string, stored: string | null, from: string): Promise<HashVerdict>
  /** How many wait now. */
  readonly waitingCount: number
  /** How many are hashed now. */
  readonly runningCount: number
  /** How many were refused since the start, because too many waited. */
  readonly refusedCount: number
  /** Raises the cost for what is hashed from here on. */
  setCost(cost: Argon2Cost): void
  /** Refuses whoever waits. */
  close(): void
}

/** How passwords are hashed. */
export interface HashingOptions {
  /** The floor unless given. */
  readonly cost?: Argon2Cost
  /** Finds the cost before anything is hashed; when that fails it is the one above, and the next hash tries again. */
  readonly settle?: {
    readonly measure: () => Promise<Argon2Cost>
    readonly onFailure: (error: unknown) => void
  }
  readonly peppers?: Peppers | undefined
  /** How many hash at once; one for every two cores unless given: requests have the others. */
  readonly runningMaxCount?: number
  /** Where those that hash at once are counted together with those of other workers. */
  readonly places?: HashPlaces | undefined
  /** How many may wait; 64 unless given. */
  readonly waitingMaxCount?: number
  /** How long one may wait, in milliseconds; 5,000 unless given. */
  readonly waitMaxMs?: number
}

const defaultRunningMaxCount = Math.max(1, Math.floor(availableParallelism() / 2))
const defaultWaitingMaxCount = 64
const defaultWaitMaxMs = 5_000

/**
 * Password hashing behind a queue.
 *
 * @see OWASP ASVS 5.0 §11.4.2, §15.2.2, §6.3.8
 */
export function passwordHashing(options: HashingOptions = {}): PasswordHashing {
  const { peppers } = options
  let cost = options.cost ?? argon2Floor
  let decoy: Promise<string> | undefined
  const queue = new HashQueue({
    runningMaxCount: options.runningMaxCount ?? defaultRunningMaxCount,
    waitingMaxCount: options.waitingMaxCount ?? defaultWaitingMaxCount,
    waitMaxMs: options.waitMaxMs ?? defaultWaitMaxMs,
    places: options.places,
  })
  let settling: Promise<void> | undefined
  const settled = async (): Promise<void> => {
    const { settle } = options
    if (settle === undefined) return
    settling ??= settle.measure().then(
      (measured) => {
        cost = measured
      },
      (error: unknown) => {
        settling = undefined
        settle.onFailure(error)
      },
    )
    await settling
  }
  // The hash of no password: made once for each cost, so that verifying against it costs what a real one does.
  const decoyHash = (): Promise<string> => {
    decoy ??= hashPassword('no password is this one', cost, peppers)
    return decoy
  }
  return {
    hash: (password, from) =>
      queue.run(from, async () => {
        await settled()
        return await hashPassword(password, cost, peppers)
      }),
    verify: (password, stored, from) =>
      queue.run(from, async () => {
        await settled()
        const verdict = await verifyPassword(password, stored ?? (await decoyHash()), cost, peppers)
        if (stored === null) return { isRight: false, isOutdated: false }
        // A hash of another kind, or of a smaller cost, is quicker than the decoy: a wrong password must not be.
        if (verdict.isOutdated && !verdict.isRight)
          await verifyPassword(password, await decoyHash(), cost, peppers)
        return verdict
      }),
    get waitingCount() {
      return queue.waitingCount
    },
    get runningCount() {
      return queue.runningCount
    },
    get refusedCount() {
      return queue.refusedCount
    },
    setCost(next) {
      cost = next
      decoy = undefined
    },
    close: () => queue.close(),
  }
}
