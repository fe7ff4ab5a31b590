import fc from 'fast-check'
import { expect, it } from 'vitest'
import { freshDatabase } from '../../test/kit/databases.ts'
import { rootSecret } from '../../test/kit/signing.ts'
import { deriveKey } from '../crypto/index.ts'
import { migrateUp } from '../data/index.ts'
import { revocationsMigration, sessionsMigration } from './migration.ts'
import { RefreshTokens } from './refresh-token.ts'
import { defaultSessionLimits } from './session.ts'
import { Sessions } from './sessions.ts'

const { graceMs, idleMs, absoluteMs } = defaultSessionLimits
const from = { address: '192.0.2.1', userAgent: 'curl/8', transport: 'bearer' } as const

/** A family in plain words: a list of what was given, and when it moved on last. */
interface Model {
  readonly given: string[]
  openedAtMs: number
  movedAtMs: number
  isEnded: boolean
}

/** What must come of the token at a place of the list. */
function expectedOf(model: Model, place: number, nowMs: number): string {
  if (model.isEnded) return 'ended'
  if (nowMs >= model.movedAtMs + idleMs || nowMs >= model.openedAtMs + absoluteMs) return 'expired'
  const newest = model.given.length - 1
  if (place === newest) return 'moves on'
  return place === newest - 1 && nowMs - model.movedAtMs <= graceMs ? 'same successor' : 'reused'
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('refresh' as const), back: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('logout' as const), back: fc.constant(0) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      back: fc.constantFrom(1_000, graceMs, graceMs + 1, idleMs - 1, idleMs, absoluteMs / 5),
    }),
  },
)

it('V10.4.5 a family of refresh tokens does what a list of them would, whatever is done to it', async () => {
  const { database, drop } = await freshDatabase('sqlite')
  const migrations = [sessionsMigration, revocationsMigration]
  await migrateUp(database, { migrations, table: 'holdfast_own_migrations' })
  let nowMs = Date.parse('2026-01-01T00:00:00Z')
  const sessions = new Sessions({
    db: database.db,
    refreshTokens: new RefreshTokens([deriveKey(rootSecret(1), 'refresh-token')]),
    limits: defaultSessionLimits,
    nowMs: () => nowMs,
  })
  const seen = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const request = { userId: 'u', amr: [], authTimeSeconds: 1, deviceId: null, ...from }
      const { session, refreshToken } = await sessions.open(database.db, request)
      const model: Model = { given: [refreshToken], openedAtMs: nowMs, movedAtMs: nowMs, isEnded: false }
      for (const { do: action, back } of steps) {
        if (action === 'pass') {
          nowMs += back
          continue
        }
        if (action === 'logout') {
          await sessions.end(database.db, 'u', session.id, 'logout')
          model.isEnded = true
          continue
        }
        const place = Math.max(0, model.given.length - 1 - back)
        const expected = expectedOf(model, place, nowMs)
        seen.set(expected, (seen.get(expected) ?? 0) + 1)
        const outcome = await sessions.refresh(model.given[place] ?? '', from)
        if (outcome.kind === 'refused') {
          expect(outcome.why).toBe(expected)
          if (expected === 'reused') model.isEnded = true
        } else if (expected === 'moves on') {
          expect(model.given).not.toContain(outcome.refreshToken)
          model.given.push(outcome.refreshToken)
          model.movedAtMs = nowMs
        } else {
          expect(expected).toBe('same successor')
          expect(outcome.refreshToken).toBe(model.given.at(-1))
        }
      }
    }),
    { numRuns: 150 },
  )
  // Each case has come up, or the property would say less than it seems.
  for (const outcome of ['ended', 'expired', 'moves on', 'same successor', 'reused'])
    expect(seen.get(outcome) ?? 0, outcome).toBeGreaterThan(5)
  await drop()
}, 60_000)
