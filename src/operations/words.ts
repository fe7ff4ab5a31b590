import { z } from 'zod'
import { BanFault } from '../bans/index.ts'
import { Problem } from '../errors/index.ts'
import { roleAccess } from '../route/index.ts'
import { administratorRole, Reason } from '../users/index.ts'

export { Reason } from '../users/index.ts'

/** Who may call the routes of operators. */
export const operators = () => roleAccess(administratorRole)

/** The limit class of the routes of operators. */
export const operatorLimit = 'admin'

/** The body of a change that needs nothing but a reason. */
export const ReasonBody = z.strictObject({ reason: Reason })

/** The id of a row of ours. */
export const RowId = z.strictObject({ id: z.uuid() })

/** A time as replies give it: ISO 8601, UTC. */
export const Time = z.string().max(30)

/** How many, and where the page begins. */
export const pageQuery = {
  limit: z.int().min(1).max(100).default(50),
  cursor: z.string().max(500).optional(),
}

/** Turns the refusal of a ban into a problem; the message is for operators, and goes to no one else. */
export async function refusingBans<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof BanFault)) throw error
    if (error.kind !== 'unfit') throw new Problem('CONFLICT', error.message, { cause: error })
    throw new Problem('VALIDATION_FAILED', error.message, {
      errors: [{ path: '/body', message: error.message }],
    })
  }
}
