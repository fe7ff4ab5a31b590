const dot = 46
const colon = 58
const zero = 48

/**
 * An IPv4 address as a signed 32-bit number. It makes nothing for the collector to sweep: it runs for every request.
 *
 * @returns `undefined` for anything else.
 */
export function ipv4Word(address: string, from = 0): number | undefined {
  let word = 0
  let octet = -1
  let dotCount = 0
  for (let at = from; at < address.length; at += 1) {
    const code = address.charCodeAt(at)
    if (code === dot) {
      if (octet === -1) return undefined
      word = (word << 8) | octet
      octet = -1
      dotCount += 1
      continue
    }
    const digit = code - zero
    if (digit < 0 || digit > 9) return undefined
    octet = (octet === -1 ? 0 : octet * 10) + digit
    if (octet > 255) return undefined
  }
  return dotCount === 3 && octet !== -1 ? (word << 8) | octet : undefined
}

// One for the whole process: reading is synchronous, and whoever calls takes what is in it at once.
const groups = new Uint16Array(8)

/**
 * Reads an IPv6 address into four signed 32-bit numbers, the first bits first.
 *
 * @param address As `normaliseAddress` gives it.
 * @param into Where they go.
 * @returns `false` for anything else; `into` then holds nothing of use.
 */
export function readIpv6(address: string, into: Int32Array): boolean {
  const given = readGroups(address)
  if (given === undefined) return false
  const { count, gapAt } = given
  if (gapAt === -1 ? count !== 8 : count > 7) return false
  if (gapAt !== -1) {
    const behindCount = count - gapAt
    groups.copyWithin(8 - behindCount, gapAt, count)
    groups.fill(0, gapAt, 8 - behindCount)
  }
  for (let index = 0; index < 4; index += 1)
    into[index] = ((groups[2 * index] ?? 0) << 16) | (groups[2 * index + 1] ?? 0)
  return true
}

const found = { count: 0, gapAt: -1 }

/** The groups as they stand there, and before which of them `::` stands. */
function readGroups(address: string): Readonly<typeof found> | undefined {
  found.count = 0
  found.gapAt = -1
  let value = 0
  let digitCount = 0
  let startAt = 0
  for (let at = 0; at <= address.length; at += 1) {
    const code = at === address.length ? colon : address.charCodeAt(at)
    if (code === dot) return readDottedEnd(address, startAt) ? found : undefined
    if (code !== colon) {
      const digit = hexDigit(code)
      digitCount += 1
      if (digit === -1 || digitCount > 4) return undefined
      value = value * 16 + digit
      continue
    }
    if (digitCount > 0) {
      if (found.count === 8) return undefined
      groups[found.count] = value
      found.count += 1
    }
    if (address.charCodeAt(at) === colon && address.charCodeAt(at + 1) === colon) {
      if (found.gapAt !== -1) return undefined
      found.gapAt = found.count
      at += 1
    } else if (digitCount === 0 && !endsInGap(address, at)) return undefined
    value = 0
    digitCount = 0
    startAt = at + 1
  }
  return found
}

function endsInGap(address: string, at: number): boolean {
  return at === address.length && address.endsWith('::')
}

// `::1.2.3.4`, as some systems write the last 32 bits.
function readDottedEnd(address: string, startAt: number): boolean {
  const word = ipv4Word(address, startAt)
  if (word === undefined || found.count > 6) return false
  groups[found.count] = word >>> 16
  groups[found.count + 1] = word & 0xffff
  found.count += 2
  return true
}

function hexDigit(code: number): number {
  if (code >= zero && code <= 57) return code - zero
  if (code >= 97 && code <= 102) return code - 87
  return -1
}

/** The first `bits` bits of a word: `word & maskOf(bits)`. */
export function maskOf(bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits)
}
