import { Problem } from '../../errors/index.ts'
import type { AccountsParts } from '../../users/index.ts'
import type { Application, ApplicationOptions } from '../application.ts'
import type { Call, Command } from '../command.ts'
import { ApplicationFault, exitCodes, UsageFault } from '../fault.ts'
import { formatOf, formatOptions } from '../format.ts'
import { loadApplication } from '../load-application.ts'
import { didYouMean, quoted } from '../parse-call.ts'
import { readPassword } from '../read-password.ts'
import type { Answering } from '../users-actions.ts'

const formats = ['text', 'json'] as const
const actions = ['list', 'create', 'roles', 'disable', 'enable', 'sign-out', 'import'] as const
type Action = (typeof actions)[number]

/** `holdfast users`: the accounts of an application, for whoever runs its server. */
export const users: Command = {
  name: 'users',
  operands: '[list|create EMAIL|roles EMAIL ROLES|disable EMAIL|enable EMAIL|sign-out EMAIL|import ACCOUNTS]',
  operandMaxCount: 3,
  summary: 'Makes, lists, disables and imports accounts, sets roles.',
  details: `
list is meant when nothing is said. create asks for the password, or reads the first line of standard input; the
address counts as verified. roles replaces the roles by those given, with commas between them; "" takes all away.
disable and sign-out act on every node within a second. The last administrator can neither be disabled nor lose the
role.

import takes over the accounts of another system, with their hashes (argon2id, bcrypt, scrypt, PBKDF2), which are
upgraded when somebody logs in. ACCOUNTS is a CSV file with a header (.csv) or holds a JSON object on each line
(.jsonl): email, name, passwordHash, roles, createdAt, disabled. Rows that cannot be taken are reported with their
line, and the exit code is 1. It can be stopped, killed and run again: who is there already is left as they are.
`,
  options: {
    app: { kind: 'file', help: 'The application; found as for the other commands unless given.' },
    name: { kind: 'text', what: 'NAME', help: 'With create: what the person is called.' },
    roles: { kind: 'text', what: 'ROLES', help: 'With create: roles, with commas between them.' },
    type: {
      kind: 'choice',
      of: ['csv', 'jsonl'],
      help: 'With import: the form of the file, whatever its name.',
    },
    ...formatOptions(formats),
  },
  staysUp: false,
  run: async (call) => {
    const isJson = formatOf(call, formats) === 'json'
    const { action, subject, roles } = targetOf(call)
    const application = await loadApplication(call.values.get('app'), process.cwd())
    if (!hasAccounts(application))
      throw new ApplicationFault(
        'This application was made with a version of holdfast that has no accounts.\n',
      )
    const answering = { terminal: call.terminal, isJson }
    const job = jobOf(call, { action, subject, roles })
    // Asked before anything is opened: whoever types slowly holds up nobody.
    const password = action === 'create' ? await readPassword(call.terminal) : ''
    const loaded = await import('../users-actions.ts')
    try {
      return await application.accounts({ environment: process.env }, (parts) =>
        job(loaded, parts, answering, password),
      )
    } catch (error) {
      return refused(error, answering)
    }
  },
}

/** An application with accounts; `createApp` returns it. */
interface WithAccounts {
  accounts<T>(options: ApplicationOptions, run: (parts: AccountsParts) => Promise<T>): Promise<T>
}

function hasAccounts(application: Application): application is Application & WithAccounts {
  return typeof Reflect.get(application, 'accounts') === 'function'
}

interface Target {
  readonly action: Action
  /** An address, or a file. */
  readonly subject: string
  readonly roles: readonly string[]
}

type Actions = typeof import('../users-actions.ts')

/** What an action does, once it is loaded: the other commands do not wait for the libraries that it needs. */
type Job = (actions: Actions, parts: AccountsParts, answering: Answering, password: string) => Promise<number>

function jobOf(call: Call, { action, subject, roles }: Target): Job {
  switch (action) {
    case 'list':
      return ({ listAll }, parts, answering) => listAll(parts, answering)
    case 'create': {
      const name = call.values.get('name') ?? ''
      return ({ create }, parts, answering, password) =>
        create(
          parts,
          { email: subject, name, roles: rolesIn(call.values.get('roles') ?? ''), password },
          answering,
        )
    }
    case 'roles':
      return ({ change }, parts, answering) => change(parts, { email: subject, order: { roles } }, answering)
    case 'disable':
    case 'enable':
      return ({ change }, parts, answering) =>
        change(parts, { email: subject, order: { disabled: action === 'disable' } }, answering)
    case 'sign-out':
      return ({ signOut }, parts, answering) => signOut(parts, subject, answering)
    case 'import': {
      const format = importFormatOf(subject, call.values.get('type'))
      return ({ importFile }, parts, answering) => importFile(parts, { file: subject, format }, answering)
    }
    default:
      return action satisfies never
  }
}

const ownOptions: Readonly<Record<string, Action>> = { name: 'create', roles: 'create', type: 'import' }

function targetOf({ operands, values }: Call): Target {
  const [first = 'list', subject = '', roles] = operands
  const action = actions.find((word) => word === first)
  if (action === undefined)
    throw new UsageFault(`users has no ${quoted(first)}.${didYouMean(first, actions)}`, 'users')
  for (const [option, of] of Object.entries(ownOptions))
    if (values.has(option) && of !== action) throw new UsageFault(`--${option} goes with ${of}.`, 'users')
  const wantedCount = action === 'list' ? 1 : action === 'roles' ? 3 : 2
  if (Math.max(operands.length, 1) !== wantedCount || (action !== 'list' && subject === '')) {
    const what = action === 'import' ? 'a file' : action === 'roles' ? 'an address and roles' : 'an address'
    throw new UsageFault(`users ${action} takes ${action === 'list' ? 'nothing more' : what}.`, 'users')
  }
  return { action, subject, roles: rolesIn(roles ?? '') }
}

function rolesIn(text: string): readonly string[] {
  return text
    .split(',')
    .map((role) => role.trim())
    .filter((role) => role !== '')
}

function importFormatOf(file: string, given: string | undefined): 'csv' | 'jsonl' {
  if (given === 'csv' || given === 'jsonl') return given
  if (/\.csv$/i.test(file)) return 'csv'
  if (/\.(jsonl|ndjson)$/i.test(file)) return 'jsonl'
  throw new UsageFault(`What is in ${quoted(file)}? Say --type csv or --type jsonl.`, 'users')
}

/** What accounts refuse is for whoever typed it, and not an accident with a stack. */
function refused(error: unknown, { terminal }: Answering): number {
  if (!(error instanceof Problem)) throw error
  const faults = error.errors?.map(({ path, message }) => `${path.replace('/body/', '')} ${message}`)
  terminal.err(`Refused: ${faults?.join('; ') ?? error.reason}.\n`)
  return exitCodes.findings
}
