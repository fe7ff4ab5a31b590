import { median } from './figures.ts'

/** How much a series has grown, from its first to its last point, by the line that fits it. */
export interface Trend {
  readonly growthBytes: number
  readonly sampleCount: number
}

/**
 * The growth of a series by the Theil-Sen line: the median of the slopes between all pairs. One odd sample in five does
 * not move it, as it would a least-squares line, and it does not need the noise to be of any kind.
 *
 * @param samplesBytes At equal distances of work, such as one for each cycle of load.
 */
export function trendOf(samplesBytes: readonly number[]): Trend {
  const slopes = samplesBytes.flatMap((first, from) =>
    samplesBytes.slice(from + 1).map((second, gap) => (second - first) / (gap + 1)),
  )
  const sampleCount = samplesBytes.length
  return { growthBytes: median(slopes) * Math.max(0, sampleCount - 1), sampleCount }
}
