import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { emitMany, type TrailWorld, trailWorld } from '../../test/kit/audit.ts'
import { engineKinds } from '../../test/kit/databases.ts'
import type { EmitEvent, RecordedEvent, SecurityEvent } from '../events/index.ts'
import { TrailFault } from './index.ts'
import { received } from './received.ts'

// Applications emit too, from code that no compiler has looked at.

const throwing = new Proxy(
  {},
  {
    get() {
      throw new TypeError('looked at')
    },
    ownKeys() {
      throw new TypeError('looked at')
    },
  },
)
const cyclic: Record<string, unknown> = {}
cyclic['self'] = cyclic

const hostile: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 7],
  ['a text', 'authn_login_fail'],
  ['a symbol', Symbol('x')],
  ['a list', [1, 2]],
  ['an object without a prototype', Object.create(null)],
  ['one that throws when looked at', throwing],
  ['one whose name throws', Object.defineProperty({}, 'event', { get: throwNow })],
  ['one whose user throws', Object.defineProperty({ event: 'authz_fail' }, 'userId', { get: throwNow })],
  ['a name that is none', { event: 'x'.repeat(10_000) }],
  ['a name of a prototype', { event: '__proto__' }],
  ['texts that are none', { event: 'app_x', userId: 7, address: {}, route: [], reason: 5n, sessionId: true }],
  ['a text that cannot be made', { event: 'app_x', userId: Object.create(null) }],
  ['a symbol for a user', { event: 'app_x', userId: Symbol('x'), reason: Symbol('y') }],
  ['no outcome', { event: 'authn_login_fail', outcome: undefined, level: null, reason: null, details: null }],
  ['an outcome that is none', { event: 'authn_login_fail', outcome: 'x'.repeat(5_000) }],
  ['an id and a time of its own', { event: 'app_x', id: 'mine', atMs: Number.NaN, level: 'mine' }],
  ['details of a big number', { event: 'app_x', details: { big: 5n, not: Number.NaN, sign: Symbol('x') } }],
  ['details in a circle', { event: 'app_x', details: cyclic }],
  ['details that throw', { event: 'app_x', details: throwing }],
  ['details that turn into another', { event: 'app_x', details: { toJSON: throwNow } }],
  ['deep details', { event: 'app_x', details: { deep: JSON.parse('['.repeat(5_000) + ']'.repeat(5_000)) } }],
  ['a list of details', { event: 'app_x', details: Array.from({ length: 10_000 }, () => 'x'.repeat(900)) }],
  ['long details', { event: 'app_x', details: { ['n'.repeat(9_000)]: 'v'.repeat(9_000_000) } }],
  ['details of a prototype', { event: 'app_x', details: JSON.parse('{"__proto__":{"a":1},"b":2}') }],
]

function throwNow(): never {
  throw new TypeError('looked at')
}

/** As code hands things over that no compiler has looked at. */
function handOver(emit: EmitEvent, what: unknown): void {
  Reflect.apply(emit, undefined, [what])
}

describe('what is handed to the trail', () => {
  it.each(hostile)('V16.2.1 becomes a small record of our own making: %s', (_, what) => {
    const { record, row } = received(what, 1_700_000_000_000)
    expect(record.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    expect(record.atMs).toBe(1_700_000_000_000)
    expect(['info', 'warn', 'critical']).toContain(record.level)
    expect(['success', 'failure', 'unknown']).toContain(record.outcome)
    expect(JSON.stringify(row).length).toBeLessThan(20_000)
    for (const value of Object.values(row)) expect(value === null || typeof value === 'string').toBe(true)
    for (const value of Object.values(record.details ?? {}))
      expect(value === null || ['string', 'number', 'boolean'].includes(typeof value)).toBe(true)
  })

  it('V16.2.1 becomes one whatever it is', () => {
    const anyEvent = fc.record(
      {
        event: fc.anything(),
        outcome: fc.anything(),
        userId: fc.anything(),
        reason: fc.anything(),
        address: fc.anything(),
        details: fc.anything({
          maxDepth: 3,
          withBigInt: true,
          withNullPrototype: true,
          withSparseArray: true,
        }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(fc.anything(), anyEvent), (what) => {
        expect(JSON.stringify(received(what, 0).row).length).toBeLessThan(60_000)
      }),
      { numRuns: 2_000 },
    )
  })

  it('V16.2.1 keeps all of an event that is one', () => {
    const event: SecurityEvent = {
      event: 'authn_login_fail',
      outcome: 'unknown',
      userId: null,
      actorId: 'chief',
      sessionId: 's',
      address: '203.0.113.9',
      route: 'POST /login',
      requestId: 'r',
      reason: 'wrong password',
      details: { count: 3, known: true, none: null, word: 'x' },
    }
    const { record } = received(event, 5)
    expect(record).toEqual({ ...event, id: record.id, atMs: 5, level: 'warn' })
    expect(received({ event: 'authz_fail' }, 5).record).not.toHaveProperty('userId')
    expect(received({ event: 'authn_login_success' }, 5).record).toMatchObject({ outcome: 'success' })
  })
})

describe.each(engineKinds)('the trail on %s', { timeout: 60_000 }, (engine) => {
  let world: TrailWorld
  beforeEach(async () => {
    world = await trailWorld(engine)
  })
  afterEach(() => world.drop())

  it('V16.5.3 takes whatever is emitted, and writes a row for each', async () => {
    const trail = world.open()
    const heard: RecordedEvent[] = []
    trail.listen((events) => void heard.push(...events))
    for (const [, what] of hostile) handOver(trail.emit, what)
    await trail.idle()
    expect(await world.rows()).toHaveLength(hostile.length)
    expect(heard).toHaveLength(hostile.length)
    expect(world.failures).toEqual([])
    await trail.close()
    expect(await world.findings()).toEqual([])
  })

  it('V16.5.3 undoes no transaction for what it notes', async () => {
    const trail = world.open()
    await trail.transact(async (_, note) => {
      for (const [, what] of hostile) handOver(note, what)
    })
    await trail.close()
    expect(await world.rows()).toHaveLength(hostile.length)
    expect(world.failures).toEqual([])
    expect(await world.findings()).toEqual([])
  })

  it('V16.5.3 goes on when those fail who are told of failures and of checkpoints', async () => {
    let toldCount = 0
    const trail = world.open({
      onFailure: () => {
        toldCount += 1
        throw new TypeError('the log is full')
      },
      onCheckpoint: throwNow,
    })
    trail.listen(throwNow)
    await emitMany(trail, 2)
    await emitMany(trail, 2)
    await trail.close()
    expect(toldCount).toBeGreaterThan(2)
    expect(await world.rows()).toHaveLength(4)
    expect(await world.findings()).toEqual([])
  })

  it('V16.2.1 says of what comes after its end that it is lost, and keeps nothing of it', async () => {
    const trail = world.open()
    await emitMany(trail, 1)
    await trail.close()
    for (let number = 0; number < 3; number += 1) trail.emit({ event: 'authn_login_fail' })
    await nextTurn()
    await expect.poll(() => world.failures.length, { timeout: 10_000 }).toBe(1)
    expect(world.failures[0]).toBeInstanceOf(TrailFault)
    expect(world.failures).toMatchObject([{ lostCount: 3 }])
    expect(trail.counts().waitingCount).toBe(0)
    expect(await world.rows()).toHaveLength(1)
  })
})
