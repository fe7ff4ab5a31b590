import { afterEach, describe, expect, it } from 'vitest'
import { type EngineKind, engineKinds, freshDatabase } from '../../test/kit/databases.ts'
import { notedTrail } from '../../test/kit/trail.ts'
import { migrateUp } from '../data/index.ts'
import type { Finding } from '../detection/index.ts'
import type { ResponseActions } from './actions.ts'
import { responsesMigration, responsesTable } from './migration.ts'
import { ResponseFault } from './response.ts'
import { openResponses } from './responses.ts'

const hourMs = 3_600_000
const opened: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

function found(given: Partial<Finding>): Finding {
  return {
    ...{ detector: 'scanner', points: [], event: 'attack_detected', level: 'critical', summary: 'seen' },
    ...{ subject: { by: 'address', value: '203.0.113.9' }, count: 1, windowMs: 1, firstMs: 0, lastMs: 1 },
    ...{ addresses: [], accounts: [], sessions: [], routes: [], responses: ['ban-address'] },
    ...given,
  }
}

/** Responses without anything around them: whatever they do works. */
async function fresh(engine: EngineKind, own: Partial<ResponseActions> = {}) {
  const { database, drop } = await freshDatabase(engine)
  opened.push(drop)
  const { db } = database
  await migrateUp(database, { migrations: [responsesMigration], table: 'holdfast_own_migrations' })
  const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z'), transactionCount: 0 }
  const failures: unknown[] = []
  const overfull: string[] = []
  const trail = notedTrail(db)
  const responses = await openResponses({
    db,
    trail: {
      transact(work) {
        clock.transactionCount += 1
        return trail.transact(work)
      },
    },
    actions: {
      isProtected: () => false,
      ban: async () => 'ban',
      lift: async () => true,
      requireLockable: async () => undefined,
      revokeSessions: async () => undefined,
      ...own,
    },
    onFailure: (error) => void failures.push(error),
    onOverfull: (what) => void overfull.push(what),
    bounds: { waitingCount: 50, perSecondCount: 10_000 },
    nowMs: () => clock.nowMs,
  })
  opened.push(() => responses.close())
  const answer = async (given: Partial<Finding>): Promise<void> => {
    responses.respond(found(given))
    await responses.idle()
  }
  const all = async () => (await responses.list({ state: 'all', limit: 1_000 })).items
  return { db, clock, responses, answer, all, failures, overfull }
}

describe.each(engineKinds)('the bounds of responses on %s', (engine) => {
  it('V1.2.1 V16.4.1 take hostile texts for what they are', async () => {
    const { answer, all, failures } = await fresh(engine)
    const hostile = [
      ...["'; DROP TABLE holdfast_responses; --", '203.0.113.9\nlevel=fatal', '203.0.113.9/0', '', '::', '0'],
      ...['\u0000', '\ud800', '203.0.113.9\u202e', 'x'.repeat(100_000), '__proto__', '127.0.0.1 ', '[::1]'],
    ]
    for (const value of hostile)
      for (const by of ['address', 'network', 'account', 'session', 'everybody'] as const)
        await answer({
          ...{ subject: { by, value }, addresses: hostile, accounts: hostile, sessions: hostile },
          ...{ responses: ['ban-address', 'slow-down', 'step-up', 'revoke-sessions', 'lock-account'] },
          ...{ detector: `odd${value.slice(0, 1)}`, summary: `seen\r\n${value.slice(0, 2_000)}\u001b[2J` },
        })
    const rows = await all()
    const texts = rows.flatMap((row) => [row.target, row.reason, row.findingKey ?? '', row.detector])
    expect(texts.filter((text) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text) || !text.isWellFormed())).toEqual(
      [],
    )
    const addresses = rows.filter(({ targetKind }) => targetKind === 'address').map(({ target }) => target)
    expect([...new Set(addresses)]).toEqual(['::/64'])
    expect([rows.length > 10, failures]).toEqual([true, []])
  })

  it('V15.2.2 do not turn a flood of findings into a flood of writes', async () => {
    const { clock, responses, answer, all, overfull } = await fresh(engine)
    for (let index = 0; index < 20_000; index += 1)
      responses.respond(found({ subject: { by: 'address', value: `198.18.${index >> 8}.${index & 255}` } }))
    await responses.idle()
    expect([(await all()).length, overfull]).toEqual([50, ['findings']])
    await answer({})
    const { transactionCount } = clock
    for (let index = 0; index < 1_000; index += 1) await answer({})
    expect(clock.transactionCount).toBe(transactionCount)
    expect((await responses.list({ target: '203.0.113.9' })).items).toMatchObject([{ findingCount: 1 }])
  })

  it('V16.5.3 never throw at a detector, whatever the database does', async () => {
    const { db, responses, failures } = await fresh(engine)
    await db.schema.alterTable(responsesTable).renameTo('elsewhere').execute()
    expect(() => responses.respond(found({}))).not.toThrow()
    await responses.idle()
    expect(() => Reflect.apply(responses.respond, responses, [null])).not.toThrow()
    expect(failures.length).toBeGreaterThanOrEqual(2)
    await db.schema.alterTable('elsewhere').renameTo(responsesTable).execute()
  })

  it('V16.5.3 stand when only what comes after their commit fails, and that is told', async () => {
    const { answer, all, failures } = await fresh(engine, {
      async ban({ afterCommit }) {
        afterCommit(() => Promise.reject(new TypeError('the memory is full')))
        return 'ban'
      },
    })
    await answer({ responses: ['ban-address', 'step-up'], accounts: ['ann'] })
    expect((await all()).map(({ response, outcome }) => [response, outcome])).toEqual([
      ['step-up', 'done'],
      ['ban-address', 'done'],
    ])
    expect(failures).toMatchObject([{ message: 'the memory is full' }])
  })

  it('are listed in pages and by target, and asked for no page that is none', async () => {
    const { responses, answer } = await fresh(engine)
    for (let host = 0; host < 5; host += 1)
      await answer({ subject: { by: 'address', value: `203.0.113.${host}` } })
    await answer({ subject: { by: 'address', value: '2001:db8:0:0::abcd' } })
    const listed: string[] = []
    let cursor: string | undefined
    do {
      const page = await responses.list({ limit: 2, cursor })
      listed.push(...page.items.map(({ target }) => target))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(listed).toEqual(['2001:db8::/64', ...[4, 3, 2, 1, 0].map((host) => `203.0.113.${host}`)])
    const byTarget = await responses.list({ target: '2001:DB8::1' })
    expect(byTarget.items.map(({ target }) => target)).toEqual(['2001:db8::/64'])
    for (const limit of [0, 1_001, 1.5, Number.NaN])
      await expect(responses.list({ limit })).rejects.toThrow(ResponseFault)
    for (const reason of ['', ' ', 'a\nb', 'x'.repeat(501)])
      await expect(responses.undo('x', { actorId: 'eve', reason })).rejects.toThrow(ResponseFault)
  })

  it('V14.2.7 are forgotten three months after their end, and not before', async () => {
    const { responses, clock, answer, all } = await fresh(engine)
    await answer({})
    clock.nowMs += 90 * 24 * hourMs
    await responses.clean()
    expect(await all()).toHaveLength(1)
    clock.nowMs += hourMs
    await responses.clean()
    expect(await all()).toHaveLength(0)
  })
})
