import { assert } from '../base/index.ts'

/** Says that a part works by returning, and that it does not by throwing. */
export type ReadinessCheck = () => void | Promise<void>

/** The life of a server, in order. */
export type ServerPhase = 'starting' | 'serving' | 'stopping'

/** What `/health/live` answers: nothing but that the process answers. */
export interface Liveness {
  readonly status: 'ok'
}

/** What `/health/ready` answers: no version, no environment, no reasons. */
export interface Readiness {
  readonly status: 'ok' | 'unavailable'
  readonly checks: Readonly<Record<string, 'ok' | 'failed'>>
}

/** What the health routes read. */
export interface HealthRegistry {
  /** Adds a check under a name that the public may see. */
  add(name: string, check: ReadinessCheck): void
  live(): Liveness
  /** Runs every check; a call while one is running shares its answer. */
  ready(): Promise<Readiness>
  readonly phase: ServerPhase
  /** The server has started. */
  serve(): void
  /** The server is going down; it is not ready any more, and never will be again. */
  stop(): void
}

/** How to make a registry. */
export interface HealthSettings {
  /** Milliseconds that one check may take. */
  readonly checkTimeoutMs: number
  /** Told of every check that fails; the public only learns that it did. */
  readonly onFailure: (name: string, error: unknown) => void
}

interface Check {
  readonly run: ReadinessCheck
  /** True while a run has not come back, even after its time was over: a part that hangs gets no second caller. */
  isRunning: boolean
}

/** Makes a registry in the phase `starting`. */
export function createHealth({ checkTimeoutMs, onFailure }: HealthSettings): HealthRegistry {
  const checks = new Map<string, Check>()
  let phase: ServerPhase = 'starting'
  let running: Promise<Readiness> | undefined

  const passes = async (name: string, check: Check): Promise<boolean> => {
    if (check.isRunning) return false
    check.isRunning = true
    const run = settle(check)
    const outcome = await withTimeout(run, checkTimeoutMs)
    if (outcome.ok) return true
    onFailure(name, outcome.error)
    return false
  }
  const askAll = async (): Promise<Readiness> => {
    const answers = await Promise.all(
      [...checks].map(async ([name, check]) => [name, await passes(name, check)] as const),
    )
    const isReady = phase === 'serving' && answers.every(([, passed]) => passed)
    return {
      status: isReady ? 'ok' : 'unavailable',
      checks: Object.fromEntries(answers.map(([name, passed]) => [name, passed ? 'ok' : 'failed'])),
    }
  }
  return {
    add(name, run) {
      assert(!checks.has(name), `a readiness check ${name} exists`)
      checks.set(name, { run, isRunning: false })
    },
    live: () => ({ status: 'ok' }),
    ready: () => {
      running ??= askAll().finally(() => {
        running = undefined
      })
      return running
    },
    get phase() {
      return phase
    },
    serve: () => {
      if (phase === 'starting') phase = 'serving'
    },
    stop: () => {
      phase = 'stopping'
    },
  }
}

type Outcome = { readonly ok: true } | { readonly ok: false; readonly error: unknown }

async function settle(check: Check): Promise<Outcome> {
  try {
    await check.run()
    return { ok: true }
  } catch (error) {
    return { ok: false, error }
  } finally {
    check.isRunning = false
  }
}

async function withTimeout(run: Promise<Outcome>, timeoutMs: number): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, error: `no answer in ${timeoutMs} ms` }), timeoutMs)
  })
  try {
    return await Promise.race([run, late])
  } finally {
    clearTimeout(timer)
  }
}
