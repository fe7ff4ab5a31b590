import type { CountDelta, SharedCounts } from '../limits/index.ts'
import type { Detector } from './detector.ts'
import type { CountedSignal, Discovery, Totals } from './engine.ts'

interface Pending {
  readonly detector: Detector
  readonly subject: string
  amount: number
  readonly values: Set<string>
  readonly allowed: Set<string>
}

const flushMs = 200
// What has no room within one flush counts on this node only.
const mostSubjects = 2_000
const mostValues = 1_000
// Of all subjects together: more than a busy node counts while an answer is waited for.
const mostPendingValues = 20_000
// Claims under way; an attack makes few, because each is quiet afterwards.
const mostClaims = 1_000

/**
 * Adds what this node counts to what all nodes count, a few times a second and never on the way of a request, and asks
 * before a finding is told whether another node has told it. Without the shared store each node goes on by itself.
 */
export class Sharing {
  readonly #shared: SharedCounts
  readonly #tell: (discovery: Discovery) => void
  readonly #judge: (detector: Detector, subject: string, totals: Totals) => void
  #pending = new Map<string, Pending>()
  #pendingValueCount = 0
  #timer: NodeJS.Timeout | undefined
  #isSending = false
  #flushing: Promise<void> = Promise.resolve()
  readonly #claims = new Set<Promise<void>>()

  constructor(
    shared: SharedCounts,
    tell: (discovery: Discovery) => void,
    judge: (detector: Detector, subject: string, totals: Totals) => void,
  ) {
    this.#shared = shared
    this.#tell = tell
    this.#judge = judge
  }

  add({ detector, subject, value, isAllowance }: CountedSignal): void {
    const name = `${detector.name} ${subject}`
    let pending = this.#pending.get(name)
    if (pending === undefined) {
      if (this.#pending.size >= mostSubjects) return
      pending = { detector, subject, amount: 0, values: new Set(), allowed: new Set() }
      this.#pending.set(name, pending)
    }
    if (value === undefined) pending.amount += 1
    else {
      const values = isAllowance ? pending.allowed : pending.values
      const before = values.size
      if (before < mostValues && this.#pendingValueCount < mostPendingValues) values.add(value)
      this.#pendingValueCount += values.size - before
    }
    this.#flushSoon()
  }

  /** Tells a finding, unless another node has done so. */
  claim(discovery: Discovery): void {
    if (this.#claims.size >= mostClaims) {
      this.#tell(discovery)
      return
    }
    const { detector, subject, stage } = discovery
    const claimed = this.#shared
      .claim({ series: `${detector.name}/${stage}`, subject, forMs: Math.max(1, detector.quietMs) })
      .catch(() => true)
      .then((isOurs) => {
        if (isOurs) this.#tell(discovery)
      })
      .finally(() => this.#claims.delete(claimed))
    this.#claims.add(claimed)
  }

  async close(): Promise<void> {
    await this.#flushing
    this.#flush()
    await this.#flushing
    await Promise.all(this.#claims)
    clearTimeout(this.#timer)
  }

  /** One at a time: behind a store that answers slowly nothing piles up but what is pending, and that has a bound. */
  #flushSoon(): void {
    if (!this.#isSending) this.#timer ??= setTimeout(() => this.#flush(), flushMs).unref()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pending.size === 0) return
    const pending = [...this.#pending.values()]
    this.#pending = new Map()
    this.#pendingValueCount = 0
    this.#isSending = true
    this.#flushing = this.#send(pending)
      .catch(() => undefined)
      .finally(() => {
        this.#isSending = false
        if (this.#pending.size > 0) this.#flushSoon()
      })
  }

  async #send(pending: readonly Pending[]): Promise<void> {
    const totals = await this.#shared.add(pending.flatMap(deltasOf))
    let place = 0
    for (const { detector, subject } of pending) {
      const count = totals[place++] ?? 0
      const allowedCount = detector.allowance === undefined ? 0 : (totals[place++] ?? 0)
      this.#judge(detector, subject, { count, allowedCount })
    }
  }
}

/** One for the count, and one for what raises the threshold, where there is something; the order is that of the answer. */
function deltasOf({ detector, subject, amount, values, allowed }: Pending): readonly CountDelta[] {
  const { name, windowMs, counts, allowance } = detector
  const counted: CountDelta =
    counts === 'signals'
      ? { kind: 'signals', series: name, subject, windowMs, amountCount: amount }
      : {
          kind: 'different',
          series: name,
          subject,
          windowMs,
          values: [...values],
          mostCount: mostOf(detector),
        }
  if (allowance === undefined) return [counted]
  const { mostCount } = allowance
  return [
    counted,
    { kind: 'different', series: `${name}/allowed`, subject, windowMs, values: [...allowed], mostCount },
  ]
}

function mostOf({ valueCount, thresholdCount, escalation, allowance }: Detector): number {
  const room = (allowance?.mostCount ?? 0) * ((allowance?.eachPercent ?? 0) / 100)
  return valueCount ?? Math.ceil(Math.max(thresholdCount, escalation?.thresholdCount ?? 0) + room)
}
