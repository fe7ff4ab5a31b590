import { inspect } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type EngineKind, engineKinds, freshDatabase } from '../../test/kit/databases.ts'
import { startMailServer, type TestMailServer } from '../../test/kit/smtp.ts'
import { Secret } from '../base/index.ts'
import { deriveKey } from '../crypto/index.ts'
import { type MigrationDatabase, migrateUp } from '../data/index.ts'
import { MailFailure } from './failure.ts'
import type { Letter } from './letter.ts'
import { mailTable, outboxMigration } from './migration.ts'
import { type MailIntent, mailOutbox, type Outbox, type OutboxParts } from './outbox.ts'
import { render } from './render.ts'
import { defaultSchedule, retryWaitMs } from './schedule.ts'
import { smtpTransport } from './smtp.ts'
import { MailStore } from './store.ts'

const origin = 'https://notes.example.com'
const key = deriveKey(new Secret(Buffer.alloc(32, 1)), 'mail-outbox')
const olderKey = deriveKey(new Secret(Buffer.alloc(32, 2)), 'mail-outbox')
const hourMs = 3_600_000

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A database, a mail server, a clock, and outboxes that use them. */
interface World {
  readonly db: MigrationDatabase
  readonly server: TestMailServer
  readonly failures: unknown[]
  nowMs: number
  outbox(parts?: Partial<OutboxParts>): Outbox
  rows(): Promise<readonly Record<string, unknown>[]>
}

async function world(engine: EngineKind): Promise<World> {
  const { database, drop } = await freshDatabase(engine)
  const server = await startMailServer()
  closing.push(() => server.close(), drop)
  await migrateUp(database, { migrations: [outboxMigration], table: 'holdfast_own_migrations' })
  const failures: unknown[] = []
  let tokenCount = 0
  const made: World = {
    db: database.db,
    server,
    failures,
    nowMs: Date.parse('2026-11-21T07:00:00Z'),
    outbox(parts = {}) {
      const outbox = mailOutbox({
        db: database.db,
        keys: [key],
        async compose(intent) {
          tokenCount += 1
          return letterOf(intent, `t${tokenCount}`)
        },
        render: (letter) => render(letter, { siteName: 'Notes', origin }),
        transport: smtpTransport(new Secret(`smtp://127.0.0.1:${server.port}`), 'no-reply@example.com'),
        onFailure: (error) => failures.push(error),
        nowMs: () => made.nowMs,
        ...parts,
      })
      closing.unshift(() => outbox.close())
      return outbox
    },
    rows: () => database.db.selectFrom(mailTable).selectAll().orderBy('id').execute(),
  }
  return made
}

function to(email: string): MailIntent {
  return { kind: 'registration', data: { email } }
}

function letterOf({ data }: MailIntent, token: string): Letter {
  const email = typeof data === 'object' && data !== null && 'email' in data ? String(data.email) : ''
  const link = `${origin}/account/verify-email#token=${token}`
  return { to: email, template: 'verify-email', values: { link, minutes: 60 } }
}

function recipients({ mails }: TestMailServer): readonly string[] {
  return mails.flatMap((mail) => mail.to).sort()
}

describe.each(engineKinds)('the outbox, on %s', (engine) => {
  it('V2.3.3 sends what was committed, once, and nothing that was undone', async () => {
    const { db, server, failures, outbox, rows } = await world(engine)
    const out = outbox()
    await db.transaction().execute((trx) => out.add(trx, to('ann@example.com')))
    const undone = db.transaction().execute(async (trx) => {
      await out.add(trx, to('bob@example.com'))
      throw new TypeError('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    await out.idle()
    await out.idle()
    expect(recipients(server)).toEqual(['ann@example.com'])
    expect([await rows(), failures]).toEqual([[], []])
  })

  it('V6.3.8 does one INSERT in a request, whoever is meant', async () => {
    const { db, outbox } = await world(engine)
    const kinds: string[] = []
    const watched = db.withPlugin({
      transformQuery({ node }) {
        kinds.push(node.kind)
        return node
      },
      transformResult: async ({ result }) => result,
    })
    const out = outbox()
    for (const name of ['ann', 'bob', 'cy']) await out.add(watched, to(`${name}@example.com`))
    expect(kinds).toEqual(['InsertQueryNode', 'InsertQueryNode', 'InsertQueryNode'])
  })

  it('starts by itself once it is woken', async () => {
    const { db, server, outbox } = await world(engine)
    const out = outbox()
    await out.add(db, to('ann@example.com'))
    for (let count = 0; count < 50; count += 1) out.wake()
    await vi.waitFor(() => expect(recipients(server)).toEqual(['ann@example.com']))
    await out.close()
    out.wake()
    await out.idle()
  })

  it('sends nothing where there is nobody to write to', async () => {
    const { db, server, failures, outbox, rows } = await world(engine)
    const out = outbox({ compose: async () => null })
    await out.add(db, to('ann@example.com'))
    await out.idle()
    expect([recipients(server), await rows(), failures]).toEqual([[], [], []])
  })

  it('V14.2.4 holds nothing that can be read, and V11.3.3 nothing that can be changed', async () => {
    const { db, server, failures, outbox, rows } = await world(engine)
    const out = outbox()
    for (const name of ['ann', 'bob', 'cy']) await out.add(db, to(`${name}@example.com`))
    const [ann, bob] = await rows()
    expect(JSON.stringify(await rows())).not.toMatch(/example|registration|ann|email/)
    const id = String(bob?.['id'])
    await db
      .updateTable(mailTable)
      .set({ sealed: String(ann?.['sealed']) })
      .where('id', '=', id)
      .execute()
    await out.idle()
    expect(recipients(server)).toEqual(['ann@example.com', 'cy@example.com'])
    expect(failures.map(String)).toEqual([
      'MailFailure: mail unknown, attempt 1: the row does not open. It is given up.',
    ])
    expect(await rows()).toEqual([])
  })

  it('opens what the key before has sealed', async () => {
    const { db, server, outbox } = await world(engine)
    await outbox({ keys: [olderKey] }).add(db, to('ann@example.com'))
    await outbox({ keys: [key, olderKey] }).idle()
    expect(recipients(server)).toEqual(['ann@example.com'])
  })

  it('V16.5.2 waits for a mail server that is down, and composes anew each time', async () => {
    const own = await world(engine)
    const { db, server, failures, outbox, rows } = own
    const out = outbox()
    await server.stop()
    await out.add(db, to('ann@example.com'))
    await out.idle()
    expect(failures).toHaveLength(1)
    expect(String(failures[0])).toMatch(
      /^MailFailure: mail registration, attempt 1: ESOCKET, .*ECONNREFUSED.*\. It is tried again\.$/,
    )
    await server.start()
    await out.idle()
    expect(recipients(server)).toEqual([])
    own.nowMs += retryWaitMs(1, 1)
    await out.idle()
    expect(recipients(server)).toEqual(['ann@example.com'])
    expect(server.mails[0]?.body).toContain('#token=t2')
    expect([await rows(), failures.length]).toEqual([[], 1])
  })

  it('V16.5.2 still sends when a mail server comes back after 23 hours, and gives up after 24', async () => {
    const own = await world(engine)
    const { db, server, failures, outbox, rows } = own
    const out = outbox()
    const begunMs = own.nowMs
    await server.stop()
    await out.add(db, to('ann@example.com'))
    await out.add(db, to('bob@example.com'))
    while (own.nowMs < begunMs + 22.5 * hourMs) {
      await out.idle()
      own.nowMs += 300_000
    }
    expect(await rows()).toHaveLength(2)
    expect(failures.length).toBeLessThan(80)
    await db
      .deleteFrom(mailTable)
      .where('id', '=', String((await rows())[1]?.['id']))
      .execute()
    await server.start()
    own.nowMs = begunMs + 23.9 * hourMs
    await out.idle()
    expect(recipients(server)).toEqual(['ann@example.com'])
    await out.add(db, to('cy@example.com'))
    own.nowMs += 24 * hourMs
    await out.idle()
    expect(recipients(server)).toEqual(['ann@example.com'])
    expect(String(failures.at(-1))).toContain('its time is over. It is given up.')
    expect(await rows()).toEqual([])
  })

  it('V16.2.5 gives up at once on a refused recipient, and tells without the address', async () => {
    const { db, server, failures, outbox, rows } = await world(engine)
    const text = '5.1.1 <ann@example.com>: ann unknown here'
    server.behave({ kind: 'refuses', at: 'RCPT TO', code: 550, text })
    const out = outbox()
    await out.add(db, to('ann@example.com'))
    await out.idle()
    expect(failures).toHaveLength(1)
    const [failure] = failures
    expect(failure).toBeInstanceOf(MailFailure)
    expect(failure).toMatchObject({ kind: 'registration', attemptCount: 1, isGivenUp: true })
    expect(String(failure)).toBe(
      'MailFailure: mail registration, attempt 1: refused for good, the mail server answered 550 5.1.1 to RCPT TO. It is given up.',
    )
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toMatch(/example\.com|\bann\b/)
    expect(await rows()).toEqual([])
  })

  it('V16.2.5 counts a letter that cannot be made as an attempt, and tells where, not what', async () => {
    const own = await world(engine)
    const { db, server, failures, outbox, rows } = own
    let isBroken = true
    const out = outbox({
      async compose(intent) {
        if (isBroken) throw new RangeError('no account of ann@example.com')
        return letterOf(intent, 't')
      },
    })
    await out.add(db, to('ann@example.com'))
    await out.idle()
    expect(String(failures[0])).toBe(
      'MailFailure: mail registration, attempt 1: RangeError. It is tried again.',
    )
    expect(inspect(failures[0], { depth: 9, showHidden: true })).not.toContain('example.com')
    expect(failures[0] instanceof Error && failures[0].stack).toContain('outbox.test.ts')
    expect(await rows()).toMatchObject([{ attemptCount: 1 }])
    isBroken = false
    own.nowMs += retryWaitMs(1, 1)
    await out.idle()
    expect(recipients(server)).toEqual(['ann@example.com'])
  })

  it('V1.3.11 gives up on a recipient that is not one address', async () => {
    const { db, server, failures, outbox, rows } = await world(engine)
    const out = outbox()
    for (const email of ['a@x.example,b@y.example', 'a@x.example\r\nRCPT TO:<b@y.example>'])
      await out.add(db, to(email))
    await out.idle()
    expect([recipients(server), await rows(), failures.length]).toEqual([[], [], 2])
  })
})

describe.each(engineKinds)('several workers, on %s', (engine) => {
  it('V15.4.2 send each mail once', async () => {
    const { db, server, failures, outbox, rows } = await world(engine)
    const [one, two, three] = [outbox(), outbox(), outbox()]
    const names = Array.from({ length: 60 }, (_, index) => `u${String(index).padStart(2, '0')}@example.com`)
    for (const name of names) await one.add(db, to(name))
    await Promise.all([one.idle(), two.idle(), three.idle()])
    expect(recipients(server)).toEqual(names)
    expect([await rows(), failures]).toEqual([[], []])
  })

  it('V13.2.6 send many at once over few connections', async () => {
    const { db, server, outbox, rows } = await world(engine)
    const out = outbox()
    const names = Array.from({ length: 200 }, (_, index) => `u${String(index).padStart(3, '0')}@example.com`)
    await Promise.all(names.map((name) => out.add(db, to(name))))
    await out.idle()
    expect(recipients(server)).toEqual(names)
    expect(server.connectionMaxCount).toBeLessThanOrEqual(4)
    expect(await rows()).toEqual([])
  })

  it('V16.5.2 take over what a killed process has taken, when its lease is over', async () => {
    const own = await world(engine)
    const { db, server, outbox, rows } = own
    const out = outbox()
    await out.add(db, to('ann@example.com'))
    // It takes the mail, and nothing is ever heard of it again.
    await new MailStore(db, [key]).claim(own.nowMs, defaultSchedule.leaseMs)
    own.nowMs += defaultSchedule.leaseMs - 1
    await out.idle()
    expect(recipients(server)).toEqual([])
    own.nowMs += 1
    await out.idle()
    expect([recipients(server), await rows()]).toEqual([['ann@example.com'], []])
  })

  it('V15.4.2 leave alone what another has taken over meanwhile', async () => {
    const own = await world(engine)
    const { db, outbox, rows } = own
    await outbox().add(db, to('ann@example.com'))
    const store = new MailStore(db, [key])
    const slow = await store.claim(own.nowMs, 1_000)
    const quick = await store.claim(own.nowMs + 1_000, 120_000)
    expect([slow?.attemptCount, quick?.attemptCount]).toEqual([1, 2])
    if (slow !== null) await store.postpone(slow, own.nowMs)
    expect(await rows()).toMatchObject([{ dueAt: quick?.leasedUntil }])
    expect(await store.claim(own.nowMs + 1_000, 120_000)).toBeNull()
  })

  it('V16.5.2 give up on a mail that has brought down every process that began it', async () => {
    const own = await world(engine)
    const { db, server, failures, outbox, rows } = own
    const out = outbox()
    await out.add(db, to('ann@example.com'))
    const store = new MailStore(db, [key])
    for (let count = 0; count < defaultSchedule.attemptMaxCount; count += 1)
      own.nowMs = Date.parse((await store.claim(own.nowMs, 1_000))?.leasedUntil ?? '')
    await out.idle()
    expect([recipients(server), await rows()]).toEqual([[], []])
    expect(String(failures[0])).toContain('attempt 41: it was begun too often. It is given up.')
  })

  it('send a mail twice rather than never when the server dies before it can say that it took it', async () => {
    const own = await world(engine)
    const { db, server, outbox, rows } = own
    const out = outbox()
    server.behave({ kind: 'dies' })
    await out.add(db, to('ann@example.com'))
    await out.idle()
    expect(await rows()).toHaveLength(1)
    server.behave({ kind: 'kind' })
    own.nowMs += retryWaitMs(1, 1)
    await out.idle()
    expect(new Set(recipients(server))).toEqual(new Set(['ann@example.com']))
    expect(server.mails.length).toBeGreaterThanOrEqual(2)
    expect(await rows()).toEqual([])
  })
})

describe.each(engineKinds)('a mail that stalls, on %s', (engine) => {
  it('V16.5.2 holds up no other', async () => {
    const { db, server, outbox } = await world(engine)
    const { promise: hanging, resolve } = Promise.withResolvers<null>()
    const out = outbox({
      compose: (intent) =>
        JSON.stringify(intent).includes('stuck') ? hanging : Promise.resolve(letterOf(intent, 't')),
    })
    for (const name of ['stuck1', 'stuck2', 'stuck3', 'ann', 'bob'])
      await out.add(db, to(`${name}@example.com`))
    out.wake()
    await vi.waitFor(() => expect(recipients(server)).toEqual(['ann@example.com', 'bob@example.com']))
    await out.add(db, to('cy@example.com'))
    out.wake()
    await vi.waitFor(() => expect(recipients(server)).toContain('cy@example.com'))
    resolve(null)
    await out.idle()
  })

  it('V13.2.6 ends with the time of its attempt, and is tried again', async () => {
    const own = await world(engine)
    const { db, server, failures, outbox } = own
    const hasty = outbox({ schedule: { ...defaultSchedule, attemptMs: 80 } })
    server.behave({ kind: 'stalls', at: 'greeting' })
    await hasty.add(db, to('ann@example.com'))
    await hasty.idle()
    expect(String(failures[0])).toBe(
      'MailFailure: mail registration, attempt 1: ETIMEDOUT, an attempt took more than 80 ms. It is tried again.',
    )
    server.behave({ kind: 'kind' })
    own.nowMs += retryWaitMs(1, 1)
    await outbox().idle()
    expect(recipients(server)).toEqual(['ann@example.com'])
  })

  it('is cut off when the outbox closes, and is there for whoever starts next', async () => {
    const { db, server, failures, outbox, rows } = await world(engine)
    const out = outbox({ schedule: { ...defaultSchedule, closeMs: 10 } })
    server.behave({ kind: 'stalls', at: 'RCPT TO' })
    await out.add(db, to('ann@example.com'))
    out.wake()
    await server.stalled(1)
    await out.close()
    expect([(await rows()).length, failures]).toEqual([1, []])
    server.behave({ kind: 'kind' })
    await outbox().idle()
    expect(recipients(server)).toEqual(['ann@example.com'])
  })
})

describe.each(engineKinds)('the bound of the outbox, on %s', (engine) => {
  const full = { code: 'OVERLOADED', status: 503, headers: { 'retry-after': '60' } }

  it('V15.2.2 refuses more, and takes more when there is room again', async () => {
    const own = await world(engine)
    const { db, server, outbox, rows } = own
    const out = outbox({ waitingMaxCount: 3 })
    await server.stop()
    for (const name of ['ann', 'bob', 'cy']) await out.add(db, to(`${name}@example.com`))
    await expect(out.add(db, to('dan@example.com'))).rejects.toMatchObject(full)
    await out.idle()
    await expect(out.add(db, to('dan@example.com'))).rejects.toMatchObject(full)
    expect(await rows()).toHaveLength(3)
    await server.start()
    own.nowMs += retryWaitMs(1, 1)
    await out.idle()
    await out.add(db, to('dan@example.com'))
    await out.idle()
    expect(recipients(server)).toHaveLength(4)
  })

  it('V15.2.2 counts what other processes have added, and not what was undone', async () => {
    const own = await world(engine)
    const { db, server, outbox } = own
    await server.stop()
    const [one, two] = [outbox({ waitingMaxCount: 2 }), outbox({ waitingMaxCount: 2 })]
    for (const name of ['ann', 'bob']) await one.add(db, to(`${name}@example.com`))
    await two.idle()
    await expect(two.add(db, to('cy@example.com'))).rejects.toMatchObject(full)
    await db.deleteFrom(mailTable).execute()
    own.nowMs += 1_000
    await two.idle()
    for (let count = 0; count < 2; count += 1)
      await db
        .transaction()
        .execute(async (trx) => {
          await two.add(trx, to('dan@example.com'))
          throw new TypeError('undone')
        })
        .catch(() => undefined)
    await expect(two.add(db, to('eve@example.com'))).rejects.toMatchObject(full)
    own.nowMs += 1_000
    await two.idle()
    await two.add(db, to('eve@example.com'))
  })
})

describe('the worker', () => {
  it('V16.5.2 tells of a database that fails, and goes on when it is back', async () => {
    const { db, server, failures, outbox } = await world('sqlite')
    const out = outbox()
    await out.add(db, to('ann@example.com'))
    await db.schema.alterTable(mailTable).renameTo('elsewhere').execute()
    await out.idle()
    expect(failures.length).toBeGreaterThan(0)
    await db.schema.alterTable('elsewhere').renameTo(mailTable).execute()
    await out.idle()
    expect(recipients(server)).toEqual(['ann@example.com'])
  })

  it('keeps no process alive that has nothing else to do', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const own = await world('sqlite')
    const before = timers()
    own.outbox()
    expect(timers()).toBe(before)
  })

  it('V15.2.2 takes nothing large', async () => {
    const { db, outbox, rows } = await world('sqlite')
    const large = { kind: 'registration', data: 'x'.repeat(16_384) }
    await expect(outbox().add(db, large)).rejects.toThrow('what is to be mailed is small')
    expect(await rows()).toEqual([])
  })

  it('waits longer each time, an hour at most, and never as long as another', () => {
    const waits = (chance: number) => [1, 2, 3, 10, 11, 40].map((count) => retryWaitMs(count, chance))
    expect(waits(0.5)).toEqual([5_000, 10_000, 20_000, 2_560_000, 3_600_000, 3_600_000])
    expect([retryWaitMs(1, 0), retryWaitMs(1, 1)]).toEqual([3_750, 6_250])
  })

  it('leases a mail for longer than an attempt lasts', async () => {
    const { outbox } = await world('sqlite')
    expect(() => outbox({ schedule: { ...defaultSchedule, attemptMs: 120_000 } })).toThrow(
      'leased for longer',
    )
  })
})
