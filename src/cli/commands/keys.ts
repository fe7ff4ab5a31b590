import type { KeysReport, KeysRequest } from '../../keys/index.ts'
import type { Application, ApplicationOptions } from '../application.ts'
import type { Command } from '../command.ts'
import { ApplicationFault, UsageFault } from '../fault.ts'
import { formatOf, formatOptions } from '../format.ts'
import { keyAnswer, progressLine } from '../key-report.ts'
import { loadApplication } from '../load-application.ts'
import { didYouMean, quoted } from '../parse-call.ts'
import { progressOn, stoppable } from '../progress.ts'
import type { Terminal } from '../terminal.ts'

const formats = ['text', 'json'] as const
const actions = ['list', 'rotate', 'reencrypt', 'destroy'] as const

/** `holdfast keys`: the keys of encrypted columns and of access tokens. */
export const keys: Command = {
  name: 'keys',
  operands: '[list|rotate|reencrypt|destroy ID] [FILE]',
  operandMaxCount: 3,
  summary: 'Lists, replaces and destroys the keys of encrypted columns and access tokens.',
  details: `
list is meant when nothing is said; it exits with 1 when a column holds values that no key opens. rotate makes a new
key, which seals two minutes later, and another that signs access tokens ten minutes later, and wraps every key under
the current HOLDFAST_SECRET. reencrypt seals everything
under the newest key while the application runs; it can be stopped, killed and started again, and exits with 1 when
rows were left as they are. destroy takes away a key that nothing needs any more; it refuses otherwise, with 1.
`,
  options: {
    ...formatOptions(formats),
    compromised: {
      kind: 'flag',
      help: 'With rotate, when a key has leaked: access tokens that were signed before are refused.',
    },
  },
  staysUp: false,
  run: async (call) => {
    const format = formatOf(call, formats)
    const { action, id, file } = targetOf(call.operands)
    const application = await loadApplication(file, process.cwd())
    if (!hasKeys(application)) {
      throw new ApplicationFault('This application was made with a version of holdfast that has no keys.\n')
    }
    const ask = (request: KeysRequest) => application.keys({ ...request, environment: process.env })
    const isCompromised = call.flags.has('compromised')
    if (isCompromised && action !== 'rotate') throw new UsageFault('--compromised goes with rotate.', 'keys')
    const report = await answered(action, { id, isCompromised }, ask, call.terminal)
    const { text, exitCode } = keyAnswer(report, call.terminal)
    call.terminal.out(format === 'json' ? `${JSON.stringify(report, null, 2)}\n` : text)
    return exitCode
  },
}

/** An application whose keys can be managed; `createApp` returns it. */
interface WithKeys {
  /** Does what `holdfast keys` asks for. */
  keys(options: ApplicationOptions & KeysRequest): Promise<KeysReport>
}

function hasKeys(application: Application): application is Application & WithKeys {
  return typeof Reflect.get(application, 'keys') === 'function'
}

interface Target {
  readonly action: (typeof actions)[number]
  /** For `destroy`. */
  readonly id: string
  readonly file: string | undefined
}

function targetOf([first, second, third]: readonly string[]): Target {
  if (first === undefined) return { action: 'list', id: '', file: undefined }
  const action = actions.find((word) => word === first)
  if (action === undefined) {
    // A bare word that is none of them is a slip, not a file.
    if (second !== undefined || /^[a-z]+$/i.test(first))
      throw new UsageFault(`keys has no ${quoted(first)}.${didYouMean(first, actions)}`, 'keys')
    return { action: 'list', id: '', file: first }
  }
  if (action !== 'destroy') {
    if (third !== undefined) throw new UsageFault(`keys ${action} takes [FILE].`, 'keys')
    return { action, id: '', file: second }
  }
  if (second === undefined || !/^[a-z0-9]{8}$/.test(second))
    throw new UsageFault('keys destroy takes the ID of a key: eight letters and digits.', 'keys')
  return { action, id: second, file: third }
}

async function answered(
  action: Target['action'],
  { id, isCompromised }: { readonly id: string; readonly isCompromised: boolean },
  ask: (request: KeysRequest) => Promise<KeysReport>,
  terminal: Terminal,
): Promise<KeysReport> {
  if (action === 'destroy') return await ask({ action, id })
  if (action === 'rotate') return await ask({ action, isCompromised })
  if (action === 'list') return await ask({ action })
  const progress = progressOn(terminal, process.stderr.isTTY === true)
  try {
    return await stoppable((signal) =>
      ask({
        action,
        signal,
        onProgress: (now) => progress.tell(progressLine(now)),
        onWait: (until) =>
          terminal.err(`Waiting until ${new Date(until).toISOString()}, when the newest key seals.\n`),
      }),
    )
  } finally {
    progress.end()
  }
}
