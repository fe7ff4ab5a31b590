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
import { loggedHeads } from './logged-heads.ts'
import { packageVersion } from './package-version.ts'
import { progressOn, stoppable } from './progress.ts'
import { counted } from './table.ts'
import type { Terminal } from './terminal.ts'
import { writeWhole } from './whole-file.ts'

/** What `holdfast events` was asked for. */
export type EventsJob =
  | { readonly action: 'tail'; readonly filter: EventFilter; readonly isFollowing: boolean }
  | { readonly action: 'verify'; readonly log: string | undefined }
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
      return await verify(trail, job, answering)
    case 'export':
      return await exportAll(trail, job, answering)
    case 'prune':
      return await prune(trail, job, answering)
    default:
      return job satisfies never
  }
}

const shownCount = 20
const version = packageVersion()

async function tail(
  trail: TrailReader,
  { filter, isFollowing }: Extract<EventsJob, { action: 'tail' }>,
  { terminal, isJson }: Answering,
): Promise<number> {
  const show = (event: RecordedEvent): void =>
    terminal.out(isJson ? `${plain(exportLine(event, 'jsonl', version))}\n` : `${lineOf(event)}\n`)
  if (!isFollowing) {
    for (const event of await trail.latest(filter, shownCount)) show(event)
    return exitCodes.fine
  }
  await stoppable(async (signal) => {
    // It is followed before the newest are read: what comes in between is held, and shown once.
    const held: RecordedEvent[] = []
    const shown = new Set<string>()
    let take = (events: readonly RecordedEvent[]): void => void held.push(...events)
    const began = Promise.withResolvers<void>()
    const stop = trail.follow({
      onBatch: ({ events }) => {
        take(events.filter((event) => isWanted(event, filter)))
        began.resolve()
      },
      onFailure: () => terminal.err('The database does not answer; trying again.\n'),
    })
    // The reading itself keeps nothing running.
    const alive = setInterval(() => undefined, 60_000)
    const ended = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    )
    await Promise.race([began.promise, ended])
    const latest = signal.aborted ? [] : await trail.latest(filter, shownCount)
    for (const event of latest) {
      shown.add(event.id)
      show(event)
    }
    take = (events) => events.filter(({ id }) => !shown.delete(id)).forEach(show)
    take(held)
    await ended
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
  return plain(parts.filter((part) => part !== '').join(' '))
}

// Controls of a terminal, ends of lines, and what turns the direction of text: whoever caused an event, or has worked on
// the table, must not write to the terminal of whoever reads it. In JSON the same spelling is an escape.
const unseen = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu

/** The text with nothing in it that a terminal would act upon. */
function plain(text: string): string {
  return text.replace(unseen, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

async function verify(
  trail: TrailReader,
  { log }: Extract<EventsJob, { action: 'verify' }>,
  { terminal, isJson }: Answering,
): Promise<number> {
  const heads = log === undefined ? [] : await loggedHeads(log)
  const progress = progressOn(terminal, process.stderr.isTTY)
  const report = await trail.verify({
    heads,
    onProgress: (done, all) => progress.tell(`${done} of ${all} rows verified`),
  })
  progress.end()
  const isFine = report.findingCount === 0
  if (isJson) terminal.out(json(report))
  else {
    const { rowCount, chainCount, checkpointCount, unsealedCount } = report
    const waiting = unsealedCount === 0 ? '' : `, ${counted(unsealedCount, 'row')} not sealed yet`
    const seen = `${counted(rowCount, 'row')} in ${counted(chainCount, 'chain')}, ${counted(checkpointCount, 'checkpoint')}${waiting}`
    for (const finding of report.findings) terminal.out(`${findingText(finding)}\n`)
    const hiddenCount = report.findingCount - report.findings.length
    if (hiddenCount > 0) terminal.out(`… and ${hiddenCount} more.\n`)
    terminal.out(isFine ? `The audit trail is whole: ${seen}.\n` : `Found ${report.findingCount}. ${seen}.\n`)
  }
  return isFine ? exitCodes.fine : exitCodes.findings
}

const kindTexts: Readonly<Record<TrailFinding['kind'], string>> = {
  changed: 'was changed',
  moved: 'does not stand where it stood',
  forged: 'was put there or written over: no process of ours has written it',
  removed: 'removed',
  'chain-changed': 'what the table of chains says of it was changed',
  'chain-removed': 'the whole chain, or what the table of chains says of it, was removed',
  'checkpoint-forged': 'the checkpoint was changed or put there: it is not signed by us',
  'checkpoint-removed': 'the checkpoint was removed, or an older one put in its place',
  'pruned-unsigned': 'removed, and no signed record says that they were pruned',
  'key-unknown': 'was sealed with a root secret that is not known here: set HOLDFAST_SECRET_PREVIOUS',
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2).split('\n').map(plain).join('\n')}\n`
}

function findingText({ kind, chain, fromSeq, toSeq, id }: TrailFinding): string {
  const place = fromSeq === null ? '' : fromSeq === toSeq ? ` row ${fromSeq}` : ` rows ${fromSeq} to ${toSeq}`
  return plain(`chain ${chain}${place}${id === null ? '' : ` (${id})`}: ${kindTexts[kind]}`)
}

async function exportAll(
  trail: TrailReader,
  { filter, form, output }: Extract<EventsJob, { action: 'export' }>,
  { terminal }: Answering,
): Promise<number> {
  if (output === undefined) {
    for await (const event of trail.each(filter)) terminal.out(`${plain(exportLine(event, form, version))}\n`)
    return exitCodes.fine
  }
  const count = await writeWhole(output, linesOf(trail.each(filter), form), terminal)
  if (count === null) return exitCodes.findings
  terminal.err(`${count} events.\n`)
  return exitCodes.fine
}

async function* linesOf(events: AsyncIterable<RecordedEvent>, form: ExportFormat): AsyncGenerator<string> {
  for await (const event of events) yield exportLine(event, form, version)
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
