import { BanIndex, neverBanned } from '../src/bans/index.ts'

// How long the look-up of an address takes with 100,000 bans in force, and what they take of memory.
//   node --conditions=holdfast-source bench/bans.ts

const banCount = 100_000
const lookupCount = 5_000_000

const index = new BanIndex({ never: neverBanned(['10.0.0.0/8'], ['198.51.100.0/24']), nowMs: Date.now })
const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
const madeAt = new Date().toISOString()

function targetOf(number: number): string {
  const [high, low] = [(number >> 8) & 255, number & 255]
  if (number % 10 === 0) return `2001:db8:${number.toString(16).slice(0, 4)}:${low.toString(16)}::/64`
  return number % 10 === 1
    ? `${1 + (number >> 16)}.${high}.${low}.0/${24 + (number % 7)}`
    : `${100 + (number >> 16)}.${high}.${low}.7`
}

globalThis.gc?.()
const heapBefore = process.memoryUsage().heapUsed
const startMs = performance.now()
for (let number = 0; number < banCount; number += 1)
  index.put({
    ...{ id: `ban-${number}`, kind: 'address', target: targetOf(number), reason: 'bench', origin: 'scanner' },
    ...{ madeBy: null, madeAt, expiresAt, liftedAt: null, liftedBy: null },
  })
const putMs = performance.now() - startMs
globalThis.gc?.()
const heapMib = (process.memoryUsage().heapUsed - heapBefore) / 2 ** 20

console.log(`${index.count} bans taken up in ${putMs.toFixed(0)} ms, ${heapMib.toFixed(0)} MiB of heap`)
measure('IPv4, not banned', (number) => `203.${number & 127}.113.${number & 255}`)
measure('IPv4, banned', (number) => `100.${number & 127}.${(number & 31) * 8 + 2}.7`)
measure('IPv6, not banned', (number) => `2001:db9:${(number & 255).toString(16)}::1`)

function measure(what: string, addressAt: (number: number) => string): void {
  const addresses = Array.from({ length: 4_096 }, (_, number) => addressAt(number))
  let hitCount = 0
  const look = (count: number): void => {
    for (let number = 0; number < count; number += 1)
      if (index.addressBannedForMs(addresses[number & 4_095] ?? '') !== undefined) hitCount += 1
  }
  look(lookupCount / 10)
  hitCount = 0
  // The time of the processor, so that what else runs on the machine does not count.
  const before = process.cpuUsage()
  look(lookupCount)
  const perLookupNs = (process.cpuUsage(before).user * 1e3) / lookupCount
  console.log(`${what}: ${perLookupNs.toFixed(0)} ns (${((100 * hitCount) / lookupCount).toFixed(0)} % hit)`)
}
