import type { OwnedRows } from '../data/index.ts'
import type { EmitEvent } from '../events/index.ts'
import type { PipelineServices } from '../http/index.ts'
import type { Logger } from '../observe/index.ts'

// Somebody who tries ids by the thousand must not fill the memory with questions about them.
const waitingCount = 100

/**
 * Tells apart, for the log alone, who asked for a row of somebody else and who for one that is not there. It does so
 * after the reply, for both alike: the answer to a foreign id takes as long as the answer to a missing one.
 *
 * @see OWASP ASVS 5.0 §16.3.2; OWASP API1:2023
 */
export function refusedRows(
  rows: OwnedRows,
  emit: EmitEvent,
  logger: Logger,
): PipelineServices['refusedRow'] {
  let waiting = 0
  return (resource, action, key, { userId }, requestId) => {
    if (waiting >= waitingCount) return
    waiting += 1
    setImmediate(async () => {
      try {
        if (await rows.exists(resource, key))
          emit({ event: 'authz_fail', userId, requestId, details: { resource: resource.name, key, action } })
      } catch (error) {
        logger.error({ err: error, requestId }, 'a refused access could not be looked into')
      } finally {
        waiting -= 1
      }
    })
  }
}
