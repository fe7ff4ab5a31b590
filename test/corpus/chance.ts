/** Chance that is the same for the same seed. */
export interface Chance {
  /** 0 to below 1. */
  share(): number
  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number
  /** Whether something happens that does so in this share of all cases. */
  happens(share: number): boolean
  pick<T>(list: readonly T[]): T
  /** How long something takes that takes this long on average, in milliseconds: mostly less, now and then much more. */
  spanMs(meanMs: number): number
}

/** Starts a row of chances (mulberry32). */
export function chanceOf(seed: number): Chance {
  let state = (seed * 2_654_435_761) >>> 0
  const share = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const whole = (least: number, most: number): number => least + Math.floor(share() * (most - least + 1))
  return {
    share,
    whole,
    happens: (wanted) => share() < wanted,
    pick(list) {
      const found = list[whole(0, list.length - 1)]
      if (found === undefined) throw new TypeError('there is nothing to pick from')
      return found
    },
    spanMs: (meanMs) => Math.ceil(-Math.log(1 - share()) * meanMs),
  }
}
