import { type ExportFormat, exportFormats, type TrailReader } from '../../audit/index.ts'
import { type EventName, isEventName } from '../../events/index.ts'
import type { Application, ApplicationOptions } from '../application.ts'
import type { Call, Command } from '../command.ts'
import { durationOf } from '../duration.ts'
import type { EventsJob } from '../events-actions.ts'
import { ApplicationFault, UsageFault } from '../fault.ts'
import { formatOf, formatOptions } from '../format.ts'
import { loadApplication } from '../load-application.ts'
import { didYouMean, quoted } from '../parse-call.ts'

const formats = ['text', 'json'] as const
const actions = ['tail', 'verify', 'export', 'prune'] as const
type Action = (typeof actions)[number]

/** `holdfast events`: the audit trail, for whoever runs the server. */
export const events: Command = {
  name: 'events',
  operands: '[tail|verify|export|prune]',
  operandMaxCount: 1,
  summary: 'Shows, verifies, exports and prunes the audit trail.',
  details: `
tail is meant when nothing is said: the newest events, and then those that come, of all nodes. verify looks at every row
and checkpoint, and names what was changed, removed, moved or put there; it exits with 1 when it finds something. With
--log it also finds the end of the newest chain removed, which nothing in the database can tell.
export writes one JSON object a line, as it is, or for a SIEM in OCSF or ECS. prune removes what is older, once it has
verified; it refuses with 1 what does not verify, because that is evidence.
`,
  options: {
    app: { kind: 'file', help: 'The application; found as for the other commands unless given.' },
    event: { kind: 'text', what: 'NAME', help: 'With tail and export: events of this name.' },
    user: { kind: 'text', what: 'ID', help: 'With tail and export: events about this account.' },
    address: { kind: 'text', what: 'IP', help: 'With tail and export: events from this address.' },
    since: { kind: 'text', what: 'TIME', help: 'With tail and export: how far back, as 30m, 12h or 7d.' },
    until: { kind: 'text', what: 'TIME', help: 'With export: up to so long ago.' },
    'no-follow': { kind: 'flag', help: 'With tail: show what is there, and end.' },
    as: { kind: 'choice', of: exportFormats, help: 'With export: the form; jsonl unless given.' },
    output: {
      kind: 'file',
      help: 'With export: a file, readable by you alone; standard output unless given.',
    },
    log: { kind: 'file', help: 'With verify: a log of the server, whose checkpoints must be in the trail.' },
    'older-than': { kind: 'text', what: 'TIME', help: 'With prune: what to remove, as 365d.' },
    reason: { kind: 'text', what: 'TEXT', help: 'With prune: why; it stands in the trail.' },
    ...formatOptions(formats),
  },
  staysUp: false,
  run: async (call) => {
    const isJson = formatOf(call, formats) === 'json'
    const job = jobOf(call)
    const application = await loadApplication(call.values.get('app'), process.cwd())
    if (!hasEvents(application))
      throw new ApplicationFault('This application was made with a version of holdfast that has no trail.\n')
    const { perform } = await import('../events-actions.ts')
    return await application.trail({ environment: process.env }, (trail) =>
      perform(trail, job, { terminal: call.terminal, isJson }),
    )
  },
}

/** An application with a trail; `createApp` returns it. */
interface WithEvents {
  trail<T>(options: ApplicationOptions, run: (trail: TrailReader) => Promise<T>): Promise<T>
}

function hasEvents(application: Application): application is Application & WithEvents {
  return typeof Reflect.get(application, 'trail') === 'function'
}

const ownOptions: Readonly<Record<string, readonly Action[]>> = {
  event: ['tail', 'export'],
  user: ['tail', 'export'],
  address: ['tail', 'export'],
  since: ['tail', 'export'],
  until: ['export'],
  'no-follow': ['tail'],
  as: ['export'],
  output: ['export'],
  log: ['verify'],
  'older-than': ['prune'],
  reason: ['prune'],
}

function jobOf({ operands, values, flags }: Call): EventsJob {
  const [first = 'tail'] = operands
  const action = actions.find((word) => word === first)
  if (action === undefined)
    throw new UsageFault(`events has no ${quoted(first)}.${didYouMean(first, actions)}`, 'events')
  for (const [option, of] of Object.entries(ownOptions))
    if ((values.has(option) || flags.has(option)) && !of.includes(action))
      throw new UsageFault(`--${option} goes with ${of.join(' and ')}.`, 'events')
  const time = (option: string): Date | undefined => {
    const agoMs = durationOf(values.get(option), option, 'events')
    return agoMs === undefined ? undefined : new Date(Date.now() - agoMs)
  }
  if (action === 'verify') return { action, log: values.get('log') }
  if (action === 'prune') {
    const before = time('older-than')
    const reason = values.get('reason')
    if (before === undefined || reason === undefined)
      throw new UsageFault('events prune takes --older-than TIME and --reason TEXT.', 'events')
    return { action, before, reason }
  }
  const filter = {
    event: eventOf(values.get('event')),
    userId: values.get('user'),
    address: values.get('address'),
    since: time('since'),
    until: time('until'),
  }
  if (action === 'tail') return { action, filter, isFollowing: !flags.has('no-follow') }
  return { action, filter, form: formOf(values.get('as')), output: values.get('output') }
}

function eventOf(name: string | undefined): EventName | undefined {
  if (name === undefined || isEventName(name)) return name
  throw new UsageFault(`There is no event ${quoted(name)}.`, 'events')
}

function formOf(text: string | undefined): ExportFormat {
  return exportFormats.find((one) => one === text) ?? 'jsonl'
}
