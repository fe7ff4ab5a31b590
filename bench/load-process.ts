import { fullLoad, type LatencyFigures, type LoadFigures, type LoadTarget, steadyLoad } from './load.ts'

// The client in a process of its own, so that it can be kept on a processor of its own. Loads what it is told to.

/** What it is told. A rate makes it a steady load. */
export interface LoadOrder {
  readonly target: LoadTarget
  readonly durationMs: number
  readonly ratePerSecond?: number
}

/** What it answers. */
export type LoadAnswer = { readonly figures: LoadFigures | LatencyFigures } | { readonly fault: string }

function carryOut({ target, durationMs, ratePerSecond }: LoadOrder): Promise<LoadFigures> {
  return ratePerSecond === undefined
    ? fullLoad(target, durationMs)
    : steadyLoad(target, ratePerSecond, durationMs)
}

process.on('message', (order: LoadOrder) => {
  const say = (answer: LoadAnswer): unknown => process.send?.(answer)
  carryOut(order).then(
    (figures) => say({ figures }),
    (error) => say({ fault: String(error) }),
  )
})
process.once('disconnect', () => process.exit(0))
