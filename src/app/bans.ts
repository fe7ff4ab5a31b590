import { BlockList, isIP } from 'node:net'
import type { AuditTrail } from '../audit/index.ts'
import { BanIndex, type BanRecord, type Bans, followBans, neverBanned, TableBans } from '../bans/index.ts'
import type { Database } from '../data/index.ts'
import type { Logger } from '../observe/index.ts'
import { type BanActions, banActions, ResponseRefusal } from '../responses/index.ts'
import type { Settings } from '../settings/index.ts'
import type { WorkerSeat } from '../workers/index.ts'
import { startUpkeep } from './upkeep.ts'
import { withWorkers } from './worker-news.ts'

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
  readonly worker?: WorkerSeat | undefined
}

/** Reads who is banned, and follows the table. @throws UNAVAILABLE when it cannot be read at the start */
export async function openBans(opening: BansOpening): Promise<OpenBans> {
  const { settings, database, trail, logger, worker } = opening
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
  const note = withWorkers<BanRecord>(worker, 'bans', (record) => follower.note(record))
  const bans = new TableBans({ db, never, trail, nowMs, onChange: note })
  const upkeep = startUpkeep([() => bans.clean()], (err) =>
    logger.error({ err }, 'forgetting ended bans has failed'),
  )
  return {
    bans,
    actions: sparingProxies(banActions({ never, onChange: note }), settings),
    counts: () => ({ addressCount: index.count - index.accountCount, accountCount: index.accountCount }),
    addressBannedForMs: (address) => index.addressBannedForMs(address),
    accountBannedForMs: (userId) => index.accountBannedForMs(userId),
    async close() {
      await upkeep.stop()
      await follower.close()
    },
  }
}

/**
 * Actions that leave private addresses alone where no proxy is trusted. Behind a proxy that nobody has named, every
 * client has its address: a detector that banned it would take the server away from everybody. A person can.
 */
export function sparingProxies(
  actions: BanActions,
  { trustedProxies }: Pick<Settings, 'trustedProxies'>,
): BanActions {
  if (trustedProxies.length > 0) return actions
  return {
    ...actions,
    isProtected: (address) => isPrivate(address) || actions.isProtected(address),
    async ban(tx, target, terms) {
      if ('address' in target && isPrivate(target.address)) throw new ResponseRefusal('trusted-proxy')
      return await actions.ban(tx, target, terms)
    },
  }
}

// RFC 1918, RFC 6598, RFC 4193, loopback and link-local.
const privateRanges = new BlockList()
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  privateRanges.addSubnet(network, prefix)
for (const [network, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  privateRanges.addSubnet(network, prefix, 'ipv6')

function isPrivate(address: string): boolean {
  // An IPv6 address may stand for its network.
  const [text = ''] = address.split('/')
  const version = isIP(text)
  return version !== 0 && privateRanges.check(text, version === 6 ? 'ipv6' : 'ipv4')
}
