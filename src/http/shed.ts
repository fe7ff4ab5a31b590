import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

/** Measures how late the event loop runs its timers. */
export interface DelayMonitor {
  /** The 99th percentile since the last call, in milliseconds. */
  takeMs(): number
  stop(): void
}

/** When to turn requests away. */
export interface ShedSettings {
  /** Milliseconds of delay that are too many. */
  readonly thresholdMs: number
  /** Milliseconds over which the delay is measured. */
  readonly windowMs: number
}

/** The settings that hold unless an application chooses others. */
export const defaultShedSettings: ShedSettings = { thresholdMs: 1_000, windowMs: 1_000 }

/** Turns requests away while the event loop is late. */
export interface LoadShedder {
  /** True while requests should be turned away. */
  isOverloaded(): boolean
  /** Counts a request that was turned away. */
  countShed(): void
  /** Requests turned away so far. */
  readonly shedCount: number
  /** The delay of the last window in milliseconds. */
  readonly delayMs: number
  stop(): void
}

/** What a shedder measures with. */
export interface ShedParts {
  readonly monitor: DelayMonitor
  /** A clock that never goes back, in milliseconds. */
  readonly nowMs: () => number
}

/**
 * Makes a shedder. It starts above the threshold and stops below half of it, so that it does not flutter.
 *
 * It measures when it is asked, once per window, and needs no timer of its own.
 *
 * @see OWASP ASVS 5.0 §15.2.2
 */
export function createShedder(
  settings: ShedSettings = defaultShedSettings,
  parts: ShedParts = realParts(),
): LoadShedder {
  let measuredAtMs = parts.nowMs()
  let delayMs = 0
  let isOverloaded = false
  let shedCount = 0
  const measure = (): void => {
    const nowMs = parts.nowMs()
    if (nowMs - measuredAtMs < settings.windowMs) return
    measuredAtMs = nowMs
    delayMs = parts.monitor.takeMs()
    isOverloaded = delayMs > (isOverloaded ? settings.thresholdMs / 2 : settings.thresholdMs)
  }
  return {
    isOverloaded: () => {
      measure()
      return isOverloaded
    },
    countShed: () => {
      shedCount++
    },
    get shedCount() {
      return shedCount
    },
    get delayMs() {
      return delayMs
    },
    stop: () => parts.monitor.stop(),
  }
}

function realParts(): ShedParts {
  const histogram = monitorEventLoopDelay({ resolution: 20 })
  histogram.enable()
  return {
    nowMs: () => performance.now(),
    monitor: {
      takeMs() {
        const ms = histogram.percentile(99) / 1e6
        histogram.reset()
        return ms
      },
      stop: () => void histogram.disable(),
    },
  }
}
