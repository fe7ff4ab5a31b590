import { type Ban, type BanChoice, BanFault, type Bans, choiceOf } from '../bans/index.ts'
import { exitCodes, UsageFault } from './fault.ts'
import { table } from './table.ts'
import type { Terminal } from './terminal.ts'

/** How an action answers. */
export interface Answering {
  readonly terminal: Terminal
  readonly isJson: boolean
}

/** Whom a command is about: what was typed as an address, a range or an id of a ban, or an account. */
export type Whom = { readonly network: string } | { readonly account: string }

/** What `holdfast bans` was asked for. */
export type BansJob =
  | { readonly action: 'list'; readonly state: 'active' | 'all' }
  | { readonly action: 'lift'; readonly whom: Whom }
  | {
      readonly action: 'add'
      readonly whom: Whom
      readonly reason: string
      readonly forMs: number | undefined
    }

/** Does it. @throws UsageFault for what cannot be understood @returns the exit code */
export async function perform(bans: Bans, job: BansJob, answering: Answering): Promise<number> {
  try {
    switch (job.action) {
      case 'list':
        return await listAll(bans, job.state, answering)
      case 'add':
        return await add(bans, job, answering)
      case 'lift':
        return await lift(bans, job.whom, answering)
      default:
        return job satisfies never
    }
  } catch (error) {
    if (!(error instanceof BanFault)) throw error
    if (error.kind === 'unfit') throw new UsageFault(error.message, 'bans')
    answering.terminal.err(`Refused: ${error.message}\n`)
    return exitCodes.findings
  }
}

const head = ['id', 'target'.padEnd(24), 'until'.padEnd(16), 'origin'.padEnd(8), 'reason']

async function listAll(
  bans: Bans,
  state: 'active' | 'all',
  { terminal, isJson }: Answering,
): Promise<number> {
  let cursor: string | undefined
  let isFirst = true
  do {
    const page = await bans.list({ state, limit: 1_000, cursor })
    if (isJson) for (const ban of page.items) terminal.out(`${JSON.stringify(ban)}\n`)
    else if (page.items.length > 0)
      terminal.out(table([...(isFirst ? [head] : []), ...page.items.map(rowOf)]))
    else if (isFirst) terminal.out('Nobody is banned.\n')
    isFirst = false
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return exitCodes.fine
}

function rowOf(ban: Ban): readonly string[] {
  return [ban.id, whomOf(ban).padEnd(24), standingOf(ban).padEnd(16), ban.origin.padEnd(8), ban.reason]
}

function standingOf({ expiresAt, liftedAt }: Ban): string {
  return liftedAt === null ? untilText(expiresAt) : `lifted ${liftedAt.slice(0, 10)}`
}

async function add(
  bans: Bans,
  { whom, reason, forMs }: Extract<BansJob, { action: 'add' }>,
  { terminal, isJson }: Answering,
): Promise<number> {
  const terms = { reason, forMs }
  const ban =
    'account' in whom
      ? await bans.ban({ account: whom.account, ...terms })
      : await bans.ban(
          whom.network.includes('/')
            ? { range: whom.network, ...terms }
            : { address: whom.network, ...terms },
        )
  const until = ban.expiresAt === null ? 'until it is lifted' : `until ${untilText(ban.expiresAt)} UTC`
  terminal.out(isJson ? json(ban) : `${whomOf(ban)} is banned ${until}: ${ban.id}\n`)
  return exitCodes.fine
}

async function lift(bans: Bans, whom: Whom, { terminal, isJson }: Answering): Promise<number> {
  const choice: BanChoice = 'account' in whom ? whom : choiceOf(whom.network)
  const ban = await bans.lift(choice)
  if (ban === null) {
    terminal.err('No such ban is in force. holdfast bans lists those that are.\n')
    return exitCodes.findings
  }
  terminal.out(isJson ? json(ban) : `${whomOf(ban)} is not banned any more.\n`)
  return exitCodes.fine
}

function whomOf({ kind, target }: Ban): string {
  return kind === 'account' ? `account ${target}` : target
}

function untilText(expiresAt: string | null): string {
  return expiresAt === null ? 'lifted by hand' : expiresAt.slice(0, 16).replace('T', ' ')
}

function json(ban: Ban): string {
  return `${JSON.stringify(ban, null, 2)}\n`
}
