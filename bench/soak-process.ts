import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { assert } from '../src/base/index.ts'
import { processorSeconds } from './load.ts'
import { rootDir } from './server-process.ts'
import { type MemorySample, type SoakReply, soakWants } from './soak-words.ts'

/** The server of the soak, in a process of its own, on data that may be there from before. */
export interface SoakServer {
  /** `http://127.0.0.1:PORT` */
  readonly address: string
  /** Its memory now, after a full collection. */
  sample(): Promise<MemorySample>
  /** Processor time that it has used so far, in seconds. */
  processorSeconds(): number
  /** What verifying the audit trail finds. */
  verifyTrail(): Promise<{ readonly rowCount: number; readonly findingCount: number }>
  /** Stops it with SIGTERM. */
  stop(): Promise<StopFigures>
  /** Kills it, when the soak itself has failed. */
  kill(): void
}

/** How a stop went. */
export interface StopFigures {
  /** What the server said of it. */
  readonly outcome: string
  readonly exitCode: number | null
  readonly tookMs: number
}

// Making the people needs one hash; the rest is a start like any other, on a machine that may be busy.
const startTimeoutMs = 60_000
// Longer than the server gives itself.
const stopTimeoutMs = 40_000

/** Starts it. @throws Error when it does not start in time, with what it printed */
export async function startSoakServer(
  dataDir: string,
  port: number,
  personCount: number,
): Promise<SoakServer> {
  const child = fork(join(rootDir, 'bench/soak-server.ts'), [String(personCount)], {
    cwd: dataDir,
    execArgv: ['--conditions=holdfast-source', '--expose-gc'],
    env: {
      PATH: process.env['PATH'],
      HOLDFAST_DATA_DIR: dataDir,
      PORT: String(port),
      TRUSTED_PROXIES: '127.0.0.1',
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const said = { text: '' }
  child.stderr?.on('data', (part) => {
    // The end of it is enough to see why; a server that complains for half an hour must not fill our memory.
    said.text = (said.text + String(part)).slice(-4_000)
  })
  try {
    const { address } = await reply(child, 'listening', startTimeoutMs)
    return serverOf(child, address)
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`the server did not start: ${said.text}`, { cause: error })
  }
}

function serverOf(child: ChildProcess, address: string): SoakServer {
  const { pid } = child
  assert(pid !== undefined, 'a server that has said its address runs')
  const exit = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code))
  })
  return {
    address,
    sample: () => ask(child, soakWants.memory, 'memory'),
    processorSeconds: () => processorSeconds(pid),
    verifyTrail: () => ask(child, soakWants.trail, 'trail'),
    async stop() {
      const startMs = performance.now()
      const stopped = reply(child, 'stopped', stopTimeoutMs)
      child.kill('SIGTERM')
      const { outcome } = await stopped
      return { outcome, exitCode: await exit, tookMs: performance.now() - startMs }
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

type ReplyOf<Kind extends SoakReply['kind']> = Extract<SoakReply, { readonly kind: Kind }>

function ask<Kind extends SoakReply['kind']>(
  child: ChildProcess,
  message: string,
  kind: Kind,
): Promise<ReplyOf<Kind>> {
  const answered = reply(child, kind, stopTimeoutMs)
  child.send(message)
  return answered
}

function reply<Kind extends SoakReply['kind']>(
  child: ChildProcess,
  kind: Kind,
  timeoutMs: number,
): Promise<ReplyOf<Kind>> {
  return new Promise((resolve, reject) => {
    const finish = (end: () => void): void => {
      clearTimeout(timer)
      child.off('message', listen)
      child.off('exit', gone)
      end()
    }
    const isWanted = (said: SoakReply): said is ReplyOf<Kind> => said.kind === kind
    const listen = (message: unknown): void => {
      const said = replyIn(message)
      if (said !== undefined && isWanted(said)) finish(() => resolve(said))
    }
    const gone = (code: number | null): void =>
      finish(() => reject(new Error(`the server ended with ${code} instead of saying ${kind}`)))
    const timer = setTimeout(
      () => finish(() => reject(new Error(`the server did not say ${kind} within ${timeoutMs} ms`))),
      timeoutMs,
    )
    child.on('message', listen)
    child.once('exit', gone)
  })
}

// The other end is ours, but the channel gives no types.
function replyIn(message: unknown): SoakReply | undefined {
  const of = (name: string): unknown => Reflect.get(Object(message), name)
  const number = (name: string): number => Number(of(name))
  switch (of('kind')) {
    case 'listening':
      return { kind: 'listening', address: String(of('address')) }
    case 'memory':
      return {
        kind: 'memory',
        aliveBytes: number('aliveBytes'),
        residentBytes: number('residentBytes'),
        delayP99Ms: number('delayP99Ms'),
      }
    case 'trail':
      return { kind: 'trail', rowCount: number('rowCount'), findingCount: number('findingCount') }
    case 'stopped':
      return { kind: 'stopped', outcome: String(of('outcome')) }
    default:
      return undefined
  }
}
