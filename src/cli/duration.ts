import { UsageFault } from './fault.ts'
import { quoted } from './parse-call.ts'

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Reads a time such as 90s, 30m, 12h or 7d, in milliseconds. @throws UsageFault */
export function durationOf(text: string | undefined, option: string, command: string): number | undefined {
  if (text === undefined) return undefined
  const [, digits, unit = ''] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? []
  const unitMs = Object.hasOwn(unitsMs, unit) ? unitsMs[unit] : undefined
  if (unitMs === undefined)
    throw new UsageFault(
      `--${option} takes a time such as 90s, 30m, 12h or 7d, not ${quoted(text)}.`,
      command,
    )
  return Number(digits) * unitMs
}
