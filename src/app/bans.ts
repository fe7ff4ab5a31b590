import type { AuditTrail } from '../audit/index.ts'
import { BanIndex, type Bans, followBans, neverBanned, TableBans } from '../bans/index.ts'
import type { Database } from '../data/index.ts'
import type { Logger } from '../observe/index.ts'
import { type BanActions, banActions } from '../responses/index.ts'
import type { Settings } from '../settings/index.ts'
import { startUpkeep } from './upkeep.ts'

/** Bans, running. */
export interface OpenBans {
  readonly bans: Bans
  /** What responses ban with, in transactions of their own. */
  readonly actions: BanActions
  /** How many bans are in force here. */
  readonly counts: () => { readonly addressCount: number; readonly accountCount: number }
  /** For how long an address is still banned, from memory. */
  readonly addressBannedForMs: (address: string) => number | undefined
  /** For how long an account is still banned, from memory. */
  readonly accountBannedForMs: (userId: string) => number | undefined
  close(): Promise<void>
}

/** What bans are opened with. */
export interface BansOpening {
  readonly settings: Pick<Settings, 'trustedProxies' | 'neverBanned'>
  readonly database: Database
  readonly trail: AuditTrail
  readonly logger: Logger
}

/** Reads who is banned, and follows the table. @throws UNAVAILABLE when it cannot be read at the start */
export async function openBans({ settings, database, trail, logger }: BansOpening): Promise<OpenBans> {
  const { db } = database
  const nowMs = Date.now
  const never = neverBanned(settings.trustedProxies, settings.neverBanned)
  const index = new BanIndex({
    never,
    nowMs,
    onOverfull: (droppedCount) =>
      logger.error(
        { droppedCount },
        'there are more bans than memory is kept for: the shortest are not in force',
      ),
  })
  const follower = await followBans({
    db,
    index,
    nowMs,
    onFailure: (err) => logger.error({ err }, 'reading the bans has failed; those known stay in force'),
  })
  const note: Parameters<typeof banActions>[0]['onChange'] = (record) => follower.note(record)
  const bans = new TableBans({ db, never, trail, nowMs, onChange: note })
  const upkeep = startUpkeep([() => bans.clean()], (err) =>
    logger.error({ err }, 'forgetting ended bans has failed'),
  )
  return {
    bans,
    actions: banActions({ never, onChange: note }),
    counts: () => ({ addressCount: index.count - index.accountCount, accountCount: index.accountCount }),
    addressBannedForMs: (address) => index.addressBannedForMs(address),
    accountBannedForMs: (userId) => index.accountBannedForMs(userId),
    async close() {
      await upkeep.stop()
      await follower.close()
    },
  }
}
