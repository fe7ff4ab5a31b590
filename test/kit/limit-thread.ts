import { per, policyOf, sharedStore } from '../../src/limits/index.ts'
import { takeSeat } from '../../src/workers/index.ts'

// A thread that takes from two limits as fast as it can, one for each key and one for all keys, and says how often it
// was let through.
const { seat, data } = takeSeat()
const roundCount = Number(data)
const store = sharedStore({ memory: seat.memory })
const each = policyOf(per('day', 30_000), { name: 'each', group: 'tested' })
const all = policyOf(per('day', 100_000, { algorithm: 'sliding-window' }), { name: 'all', group: 'tested' })
const allowed = [0, 0, 0, 0]
await seat.ask('begins', seat.number)
for (let round = 0; round < roundCount; round++) {
  const place = (round + seat.number) % allowed.length
  const checks = [
    { policy: each, key: `account:${place}` },
    { policy: all, key: 'account:everybody' },
  ]
  const decision = await store.consume(round % 2 === 0 ? checks : checks.toReversed(), 0)
  if (decision.allowed) allowed[place] = (allowed[place] ?? 0) + 1
}
await seat.ask('ended', allowed)
process.exit(0)
