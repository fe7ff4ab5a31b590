import { open, rename, rm } from 'node:fs/promises'
import {
  type EventFilter,
  type ExportFormat,
  exportLine,
  PruneRefused,
  type TrailFinding,
  type TrailReader,
} from '../audit/index.ts'
import type { RecordedEvent } from '../events/index.ts'
import { exitCodes } from './fault.ts'
import { progressOn, stoppable } from './progress.ts'
import type { Terminal } from './terminal.ts'

/** What `holdfast events` was asked for. */
export type EventsJob =
  | { readonly action: 'tail'; readonly filter: EventFilter; readonly isFollowing: boolean }
  | { readonly action: 'verify' }
  | {
      readonly action: 'export'
      readonly filter: EventFilter
      readonly form: ExportFormat
      readonly output: string | undefined
    }
  | { readonly action: 'prune'; readonly before: Date; readonly reason: string }

/** How it answers. */
export interface Answering {
  readonly terminal: Terminal
  readonly isJson: boolean
}

/** Does it. @returns the exit code */
export async function perform(trail: TrailReader, job: EventsJob, answering: Answering): Promise<number> {
  switch (job.action) {
    case 'tail':
      return await tail(trail, job, answering)
    case 'verify':
      return await verify(trail, answering)
    case 'export':
      return await exportAll(trail, job, answering)
    case 'prune':
      return await prune(trail, job, answering)
    default:
      return job satisfies never
  }
}

const shownCount = 20
const version = '0.1'

async function tail(
  trail: TrailReader,
  { filter, isFollowing }: Extract<EventsJob, { action: 'tail' }>,
  { terminal, isJson }: Answering,
): Promise<number> {
  const show = (event: RecordedEvent): void =>
    terminal.out(isJson ? `${exportLine(event, 'jsonl', version)}\n` : `${lineOf(event)}\n`)
  for (const event of await trail.latest(filter, shownCount)) show(event)
  if (!isFollowing) return exitCodes.fine
  await stoppable(async (signal) => {
    const stop = trail.follow({
      onBatch: ({ events }) => events.filter((event) => isWanted(event, filter)).forEach(show),
      onFailure: () => terminal.err('The database does not answer; trying again.\n'),
    })
    // The reading itself keeps nothing running.
    const alive = setInterval(() => undefined, 60_000)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    clearInterval(alive)
    stop()
  })
  return exitCodes.fine
}

function isWanted(event: RecordedEvent, { event: name, userId, address }: EventFilter): boolean {
  return (
    (name === undefined || event.event === name) &&
    (userId === undefined || event.userId === userId) &&
    (address === undefined || event.address === address)
  )
}

function lineOf(event: RecordedEvent): string {
  const { atMs, level, event: name, userId, actorId, address, route, reason, details } = event
  const parts = [
    new Date(atMs).toISOString().slice(0, 19).replace('T', ' '),
    level.padEnd(8),
    name.padEnd(30),
    typeof userId === 'string' ? `user ${userId}` : '',
    actorId === undefined ? '' : `by ${actorId}`,
    address === undefined ? '' : `from ${address}`,
    route ?? '',
    reason === undefined ? '' : `(${reason})`,
    details === undefined ? '' : JSON.stringify(details),
  ]
  return parts.filter((part) => part !== '').join(' ')
}

async function verify(trail: TrailReader, { terminal, isJson }: Answering): Promise<number> {
  const progress = progressOn(terminal, process.stderr.isTTY)
  const report = await trail.verify({
    onProgress: (done, all) => progress.tell(`${done} of ${all} rows verified`),
  })
  progress.end()
  const isFine = report.findingCount === 0
  if (isJson) terminal.out(`${JSON.stringify(report, null, 2)}\n`)
  else {
    const seen = `${report.rowCount} rows in ${report.chainCount} chains, ${report.checkpointCount} checkpoints`
    for (const finding of report.findings) terminal.out(`${findingText(finding)}\n`)
    const hiddenCount = report.findingCount - report.findings.length
    if (hiddenCount > 0) terminal.out(`… and ${hiddenCount} more.\n`)
    terminal.out(isFine ? `The audit trail is whole: ${seen}.\n` : `Found ${report.findingCount}. ${seen}.\n`)
  }
  return isFine ? exitCodes.fine : exitCodes.findings
}

const kindTexts: Readonly<Record<TrailFinding['kind'], string>> = {
  unfit: 'was changed, moved or put there',
  removed: 'removed',
  'chain-removed': 'the whole chain was removed',
  unsealed: 'was put there: no process of ours has written it',
  'checkpoint-forged': 'the checkpoint is not signed by us',
  'checkpoint-removed': 'checkpoints were removed',
  'pruned-unsigned': 'removed, and no signed record says that they were pruned',
  'key-unknown': 'was sealed with a root secret that is not known here: set HOLDFAST_SECRET_PREVIOUS',
}

function findingText({ kind, chain, fromSeq, toSeq, id }: TrailFinding): string {
  const place = fromSeq === null ? '' : fromSeq === toSeq ? ` row ${fromSeq}` : ` rows ${fromSeq} to ${toSeq}`
  return `chain ${chain}${place}${id === null ? '' : ` (${id})`}: ${kindTexts[kind]}`
}

async function exportAll(
  trail: TrailReader,
  { filter, form, output }: Extract<EventsJob, { action: 'export' }>,
  { terminal }: Answering,
): Promise<number> {
  let count = 0
  if (output === undefined) {
    for await (const event of trail.each(filter)) terminal.out(`${exportLine(event, form, version)}\n`)
    return exitCodes.fine
  }
  // Renamed when it is whole: half an export would be taken for all of it.
  const part = `${output}.part`
  const file = await open(part, 'wx', 0o600)
  try {
    for await (const event of trail.each(filter)) {
      await file.write(`${exportLine(event, form, version)}\n`)
      count += 1
    }
    await file.close()
    await rename(part, output)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(part, { force: true })
    throw error
  }
  terminal.err(`${count} events.\n`)
  return exitCodes.fine
}

async function prune(
  trail: TrailReader,
  { before, reason }: Extract<EventsJob, { action: 'prune' }>,
  { terminal, isJson }: Answering,
): Promise<number> {
  try {
    const pruning = await trail.prune({ before }, { reason })
    terminal.out(
      isJson
        ? `${JSON.stringify(pruning)}\n`
        : `${pruning.rowCount} rows from before ${before.toISOString().slice(0, 10)} were verified and removed.\n`,
    )
    return exitCodes.fine
  } catch (error) {
    if (!(error instanceof PruneRefused)) throw error
    for (const finding of error.findings.slice(0, 100)) terminal.err(`${findingText(finding)}\n`)
    terminal.err(`${error.message}\n`)
    return exitCodes.findings
  }
}
