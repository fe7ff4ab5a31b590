/**
 * What only other parts of a server know, as they are asked for it at a scrape. Whoever answers `null` for a part has
 * none of it.
 */
export interface SourceReadings {
  /** Bans in force, from memory. */
  readonly bans: { readonly addressCount: number; readonly accountCount: number }
  /** Slow-downs and step-ups in force, from memory. */
  readonly responses: { readonly inForceCount: number }
  readonly alerts: {
    readonly openCount: number
    readonly deliveriesWaitingCount: number
    readonly deliveriesDeadCount: number
  }
  readonly hashing: {
    readonly waitingCount: number
    readonly runningCount: number
    /** Since the start. */
    readonly refusedCount: number
  }
  readonly database: DatabaseReading
  readonly redis: { readonly isUp: boolean }
  readonly load: {
    /** Since the start. */
    readonly shedCount: number
    readonly delayMs: number
  }
  readonly sockets: { readonly openCount: number }
  readonly mail: { readonly waitingCount: number }
  /** The keys that sign and seal now: `signing key`, `data key`. Names of the code, none that a client gives. */
  readonly keys: readonly { readonly name: string; readonly ageSeconds: number }[]
  readonly trail: {
    readonly waitingCount: number
    /** Since the start. */
    readonly droppedCount: number
    /** How many rows there are, or about how many. */
    readonly rowCount: number | null
  }
  readonly sessions: { readonly userCount: number; readonly sessionCount: number }
}

/** How the database does. */
export interface DatabaseReading {
  readonly isUp: boolean
  /** None for SQLite. */
  readonly pool: {
    readonly inUseCount: number
    readonly idleCount: number
    readonly waitingCount: number
  } | null
  /** Statements that failed since the start; `null` where nobody counts them. */
  readonly errorCount: number | null
}

/** The name of a source. */
export type SourceName = keyof SourceReadings

/** Functions that are called at a scrape. Each may be missing, wait, and fail. */
export type MetricSources = {
  readonly [N in SourceName]?: () => SourceReadings[N] | Promise<SourceReadings[N]>
}

/** What was read, and which sources have failed or were too slow. */
export interface Reading {
  readonly values: { readonly [N in SourceName]?: SourceReadings[N] }
  readonly isUp: ReadonlyMap<SourceName, boolean>
}

/** What sources are read with. */
export interface SourcesParts {
  readonly sources: MetricSources
  /** How long all of them have, in milliseconds. */
  readonly limitMs: number
  /** For how long an answer is used again, in milliseconds. */
  readonly freshMs: number
  readonly nowMs: () => number
  /** Told of a source that has failed, and of one that has not answered in time: once for each time it is asked. */
  readonly onFailure: (source: SourceName, error: unknown) => void
}

/**
 * Reads sources. One that has not answered is not asked again before it has: scrapes that come faster than a table is
 * counted would otherwise pile up in front of the database.
 */
export function sourceReader(parts: SourcesParts): () => Promise<Reading> {
  const askers = [
    asker('bans', parts),
    asker('responses', parts),
    asker('alerts', parts),
    asker('hashing', parts),
    asker('database', parts),
    asker('redis', parts),
    asker('load', parts),
    asker('sockets', parts),
    asker('mail', parts),
    asker('keys', parts),
    asker('trail', parts),
    asker('sessions', parts),
  ].filter((asked) => asked !== undefined)
  return async () => {
    const { promise: late, resolve } = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => resolve('late'), parts.limitMs)
    const answers = await Promise.all(
      askers.map(async ({ name, ask, noteLate }) => {
        const answer = await Promise.race([ask(), late])
        if (answer === 'late') noteLate()
        return { name, answer }
      }),
    )
    clearTimeout(timer)
    const isUp = new Map<SourceName, boolean>()
    let values: Reading['values'] = {}
    for (const { name, answer } of answers) {
      const isThere = answer !== 'late' && answer !== 'failed'
      isUp.set(name, isThere)
      if (isThere) values = { ...values, ...answer }
    }
    return { values, isUp }
  }
}

type Answer = Reading['values'] | 'failed'

interface Asker {
  readonly name: SourceName
  readonly ask: () => Promise<Answer>
  readonly noteLate: () => void
}

function asker<N extends SourceName>(
  name: N,
  { sources, limitMs, freshMs, nowMs, onFailure }: SourcesParts,
): Asker | undefined {
  const source: MetricSources[N] = sources[name]
  if (source === undefined) return undefined
  let running: Promise<Answer> | undefined
  let askedAtMs = Number.NEGATIVE_INFINITY
  const read = async (): Promise<Answer> => {
    try {
      return { [name]: await source() }
    } catch (error) {
      onFailure(name, error)
      return 'failed'
    }
  }
  let isAnswered = false
  let isLateNoted = false
  return {
    name,
    ask() {
      const now = nowMs()
      const isOld = now - askedAtMs >= freshMs || now < askedAtMs
      if (running !== undefined && !(isAnswered && isOld)) return running
      askedAtMs = now
      isAnswered = false
      isLateNoted = false
      running = read().finally(() => {
        isAnswered = true
      })
      return running
    },
    // Else a source that hangs would be 0 in its metric, and nothing would say why.
    noteLate() {
      if (isLateNoted) return
      isLateNoted = true
      onFailure(name, new DOMException(`no answer within ${limitMs} ms`, 'TimeoutError'))
    },
  }
}
