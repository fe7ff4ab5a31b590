import type { Bans } from '../../bans/index.ts'
import type { Application, ApplicationOptions } from '../application.ts'
import type { Answering, BansJob } from '../bans-actions.ts'
import type { Call, Command } from '../command.ts'
import { durationOf } from '../duration.ts'
import { ApplicationFault, UsageFault } from '../fault.ts'
import { formatOf, formatOptions } from '../format.ts'
import { loadApplication } from '../load-application.ts'
import { didYouMean, quoted } from '../parse-call.ts'

const formats = ['text', 'json'] as const
const actions = ['list', 'add', 'lift'] as const
type Action = (typeof actions)[number]

/** `holdfast bans`: who is banned, for whoever runs the server. */
export const bans: Command = {
  name: 'bans',
  operands: '[list|add ADDRESS|lift ADDRESS]',
  operandMaxCount: 2,
  summary: 'Lists, makes and lifts bans of addresses, ranges and accounts.',
  details: `
list is meant when nothing is said. ADDRESS is an IP address (an IPv6 address stands for its /64) or a CIDR range; lift
takes the ID of a ban too. With --account there is none. add needs a reason; without --for the ban stands until it is
lifted. Every node knows within a second. Whoever is banned already has the ban extended, never shortened.

Trusted proxies and NEVER_BANNED cannot be banned: add refuses with 1. lift exits with 1 when nothing was lifted.
`,
  options: {
    app: { kind: 'file', help: 'The application; found as for the other commands unless given.' },
    for: { kind: 'text', what: 'TIME', help: 'With add: how long, as 90s, 30m, 12h or 7d.' },
    reason: { kind: 'text', what: 'TEXT', help: 'With add: why, for whoever looks later.' },
    account: { kind: 'text', what: 'ID', help: 'With add and lift: an account in place of an address.' },
    all: { kind: 'flag', help: 'With list: also bans that have ended, for 30 days.' },
    ...formatOptions(formats),
  },
  staysUp: false,
  run: async (call) => {
    const isJson = formatOf(call, formats) === 'json'
    const job = jobOf(call)
    const application = await loadApplication(call.values.get('app'), process.cwd())
    if (!hasBans(application))
      throw new ApplicationFault('This application was made with a version of holdfast that has no bans.\n')
    const answering: Answering = { terminal: call.terminal, isJson }
    const { perform } = await import('../bans-actions.ts')
    return await application.bans({ environment: process.env }, (open) => perform(open, job, answering))
  },
}

/** An application with bans; `createApp` returns it. */
interface WithBans {
  bans<T>(options: ApplicationOptions, run: (bans: Bans) => Promise<T>): Promise<T>
}

function hasBans(application: Application): application is Application & WithBans {
  return typeof Reflect.get(application, 'bans') === 'function'
}

const ownOptions: Readonly<Record<string, readonly Action[]>> = {
  for: ['add'],
  reason: ['add'],
  account: ['add', 'lift'],
  all: ['list'],
}

function jobOf({ operands, values, flags }: Call): BansJob {
  const [first = 'list', subject] = operands
  const action = actions.find((word) => word === first)
  if (action === undefined)
    throw new UsageFault(`bans has no ${quoted(first)}.${didYouMean(first, actions)}`, 'bans')
  for (const [option, of] of Object.entries(ownOptions))
    if ((values.has(option) || flags.has(option)) && !of.includes(action))
      throw new UsageFault(`--${option} goes with ${of.join(' and ')}.`, 'bans')
  if (action === 'list') {
    if (subject !== undefined) throw new UsageFault('bans list takes nothing more.', 'bans')
    return { action, state: flags.has('all') ? 'all' : 'active' }
  }
  const account = values.get('account')
  if ((subject === undefined) === (account === undefined))
    throw new UsageFault(`bans ${action} takes an address, or --account ID.`, 'bans')
  const whom = account === undefined ? { network: subject ?? '' } : { account }
  if (action === 'lift') return { action, whom }
  const reason = values.get('reason')
  if (reason === undefined) throw new UsageFault('bans add takes --reason TEXT.', 'bans')
  return { action, whom, reason, forMs: durationOf(values.get('for'), 'for', 'bans') }
}
