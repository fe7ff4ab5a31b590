/**
 * The candidate with the fewest slips of the hand between it and the text, when they are few enough.
 *
 * @param maxSlips How many slips a candidate may be away.
 */
export function nearest(
  text: string,
  candidates: readonly string[],
  maxSlips: (candidate: string) => number,
): string | undefined {
  let best: string | undefined
  let bestCount = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const most = maxSlips(candidate)
    // Names are short; a long one in the environment is not worth the square of its length.
    if (Math.abs(candidate.length - text.length) > most) continue
    const count = slipCount(text, candidate)
    if (count <= most && count < bestCount) {
      best = candidate
      bestCount = count
    }
  }
  return best
}

/** Letters added, left out, mistaken or swapped with their neighbour (optimal string alignment). */
function slipCount(a: string, b: string): number {
  const width = b.length + 1
  const table = new Uint16Array((a.length + 1) * width)
  const at = (i: number, j: number): number => table[i * width + j] ?? 0
  for (let i = 0; i <= a.length; i++) {
    for (let j = 0; j <= b.length; j++) {
      if (i === 0 || j === 0) {
        table[i * width + j] = i + j
        continue
      }
      const differs = a[i - 1] === b[j - 1] ? 0 : 1
      let count = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + differs)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) count = Math.min(count, at(i - 2, j - 2) + 1)
      table[i * width + j] = count
    }
  }
  return at(a.length, b.length)
}
