import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { emitMany, keysOf, type Row, type TrailWorld, trailWorld } from '../../test/kit/audit.ts'
import { engineKinds } from '../../test/kit/databases.ts'
import { chainsTable, checkpointsTable, eventsTable, type TrailFaultKind, verifyTrail } from './index.ts'

// Whoever owns the database takes the triggers away, and then alters the tables by hand, in every way.

const eventColumns = [
  ...['id', 'at', 'event', 'level', 'outcome', 'userId', 'actorId', 'sessionId', 'address', 'route'],
  ...['requestId', 'reason', 'details', 'mac', 'hash'],
]

describe.each(engineKinds)('a trail that was altered by hand, on %s', { timeout: 120_000 }, (engine) => {
  let world: TrailWorld
  let chain: string
  let rows: readonly Row[]
  beforeEach(async () => {
    world = await trailWorld(engine)
    const trail = world.open({ kind: 'server' })
    chain = trail.chain
    await emitMany(trail, 8)
    await trail.close()
    rows = await world.rows()
    expect(rows).toHaveLength(10)
    expect(await world.findings()).toEqual([])
    await world.disarm()
  })
  afterEach(() => world.drop())

  const found = async () => (await world.findings()).map(({ kind, fromSeq, toSeq }) => [kind, fromSeq, toSeq])
  const idAt = (seq: number): string => String(rows[seq - 1]?.['id'])
  const at = (seq: number) => ({ kind: expect.anything(), chain, fromSeq: seq, toSeq: seq })
  const edit = (seq: number, change: Record<string, string | number | null>) =>
    world.db.updateTable(eventsTable).set(change).where('id', '=', idAt(seq)).execute()
  const remove = (from: number, to = from) =>
    world.db.deleteFrom(eventsTable).where('seq', '>=', from).where('seq', '<=', to).execute()
  const swap = async (one: number, other: number, columns: readonly string[]) => {
    const pick = (seq: number) =>
      Object.fromEntries(columns.map((name) => [name, rows[seq - 1]?.[name] ?? null]))
    const free = Object.fromEntries(
      columns
        .filter((name) => ['id', 'seq'].includes(name))
        .map((name) => [name, name === 'id' ? 'free' : 99]),
    )
    const write = (id: string, change: Record<string, string | number | null>) =>
      world.db.updateTable(eventsTable).set(change).where('id', '=', id).execute()
    await write(idAt(one), { ...pick(other), ...free })
    await write(idAt(other), pick(one))
    const last = Object.fromEntries(Object.keys(free).map((name) => [name, rows[other - 1]?.[name] ?? null]))
    await write(columns.includes('id') ? 'free' : idAt(one), last)
  }

  describe.each([1, 5, 10])('at row %i', (seq) => {
    it.each(eventColumns)('V16.4.2 finds %s changed, and names the row', async (column) => {
      await edit(seq, { [column]: column === 'at' ? '2020-01-01T00:00:00.000Z' : 'other' })
      expect(await world.findings()).toEqual([
        { ...at(seq), kind: 'changed', id: column === 'id' ? 'other' : idAt(seq) },
      ])
    })

    it.each(['userId', 'actorId', 'sessionId', 'address', 'route', 'requestId', 'reason', 'details'])(
      'V16.4.2 finds %s emptied or filled',
      async (column) => {
        await edit(seq, { [column]: rows[seq - 1]?.[column] === null ? '' : null })
        expect(await world.findings()).toEqual([{ ...at(seq), kind: 'changed', id: idAt(seq) }])
      },
    )

    it('V16.4.2 finds it written over with all that was copied from another', async () => {
      const other = rows[seq % 10]
      await edit(seq, { mac: other?.['mac'] ?? null, hash: other?.['hash'] ?? null })
      expect(await world.findings()).toEqual([{ ...at(seq), kind: 'forged', id: idAt(seq) }])
    })

    it('V16.4.2 finds it removed, and says which', async () => {
      await remove(seq)
      expect(await found()).toEqual(seq < 10 ? [['removed', seq, seq]] : [['removed', 10, 10]])
    })

    it('V16.4.2 finds its place or its chain changed', async () => {
      for (const change of [
        { seq: 50 },
        { seq: 0 },
        { seq: -3 },
        { chain: 'other' },
        { seq: null, hash: null },
      ]) {
        await edit(seq, change)
        const findings = await world.findings()
        expect(findings, JSON.stringify(change)).toContainEqual(
          expect.objectContaining({ kind: 'removed', chain, fromSeq: seq }),
        )
        await edit(seq, { seq, chain, hash: rows[seq - 1]?.['hash'] ?? null })
        expect(await world.findings()).toEqual([])
      }
    })
  })

  it.each([
    [2, 4],
    [1, 3],
    [7, 10],
  ])('V16.4.2 finds rows %i to %i removed', async (from, to) => {
    await remove(from, to)
    expect(await found()).toEqual([['removed', from, to]])
  })

  it('V16.4.2 finds everything removed that is after a checkpoint, with the checkpoints', async () => {
    await remove(6, 10)
    await world.db.deleteFrom(checkpointsTable).where('kind', 'in', ['head', 'closed']).execute()
    expect(await found()).toContainEqual(['checkpoint-removed', 5, 5])
  })

  it.each([
    ['side by side', 4, 5],
    ['far apart', 3, 8],
    ['the first and the last', 1, 10],
  ])('V16.4.2 finds two rows that have changed places: %s', async (_, one, other) => {
    await swap(one, other, ['seq'])
    expect(await found()).toEqual([
      ['moved', one, one],
      ['moved', other, other],
    ])
  })

  it('V16.4.2 finds what two rows say exchanged', async () => {
    await swap(3, 8, [...eventColumns.filter((name) => name !== 'hash')])
    expect(await found()).toEqual([
      ['moved', 3, 3],
      ['moved', 8, 8],
    ])
  })

  it('V16.4.2 finds rows that were numbered anew after one was removed', async () => {
    await remove(4)
    for (let seq = 5; seq <= 10; seq += 1) await edit(seq, { seq: seq - 1 })
    const findings = await found()
    expect(findings).toContainEqual(['moved', 4, 4])
    expect(findings).toContainEqual(['removed', 10, 10])
  })

  it.each([
    ['at its end', { seq: 11 }],
    ['far behind its end', { seq: 500 }],
    ['before its beginning', { seq: 0 }],
    ['in a chain of its own', { seq: 1, chain: 'mine' }],
    ['without a place', { seq: null, hash: null }],
    ['without a place, with a hash', { seq: null }],
  ] as const)('V16.4.2 finds a row that was put there %s, with what belongs to another', async (_, place) => {
    await world.db
      .insertInto(eventsTable)
      .values({ ...rows[4], id: 'put-there', userId: 'mallory', ...place })
      .execute()
    const findings = await world.findings()
    expect(findings).toContainEqual(expect.objectContaining({ kind: 'forged', id: 'put-there' }))
  })

  it('V16.4.2 finds a row put in the middle, whatever has to move for it', async () => {
    for (let seq = 10; seq >= 6; seq -= 1) await edit(seq, { seq: seq + 1 })
    await world.db
      .insertInto(eventsTable)
      .values({ ...rows[4], id: 'put-there', seq: 6 })
      .execute()
    expect(await world.findings()).toContainEqual({ ...at(6), kind: 'forged', id: 'put-there' })
  })

  it('V16.4.2 does not take a row that was put there for one that waits', async () => {
    const other = world.open()
    await world.db
      .insertInto(eventsTable)
      .values({ ...rows[4], id: 'put-there', seq: null, hash: null, at: '2020-01-01T00:00:00.000Z' })
      .execute()
    await emitMany(other, 1)
    await other.close()
    expect((await world.rows()).find(({ id }) => id === 'put-there')).toMatchObject({ seq: null })
    expect(await world.findings()).toMatchObject([{ kind: 'forged', id: 'put-there' }])
  })

  const emptied = async (tables: readonly string[]) => {
    for (const table of tables) await world.db.deleteFrom(table).where('chain', '=', chain).execute()
  }

  it.each([
    ['its rows', [eventsTable]],
    ['its rows and checkpoints', [eventsTable, checkpointsTable]],
    ['its entry', [chainsTable]],
    ['its rows and entry', [eventsTable, chainsTable]],
  ])('V16.4.2 finds a chain removed by %s', async (_, tables) => {
    await emptied(tables)
    expect((await world.findings()).map(({ kind }) => kind)).toContain('chain-removed')
  })

  it('V16.4.2 finds a chain that was removed with everything, by what the next one has signed', async () => {
    const next = world.open({ kind: 'server' })
    await emitMany(next, 1)
    await emptied([eventsTable, checkpointsTable, chainsTable])
    expect(await world.findings()).toEqual([
      { kind: 'removed', chain, fromSeq: 1, toSeq: 10, id: null },
      { kind: 'chain-removed', chain, fromSeq: null, toSeq: null, id: null },
    ])
    await next.close()
  })

  it('V16.4.2 finds a chain that was written anew by whoever has the key of the rows, by what was signed', async () => {
    const heads = [{ chain, seq: 10, hash: 'another hash than the one that was logged' }]
    const { findings } = await verifyTrail(world.db, world.keys, { heads })
    expect(findings).toEqual([{ ...at(10), kind: 'changed', id: idAt(10) }])
  })

  it('V16.4.2 finds the only chain removed with everything, by a copy of its head outside', async () => {
    const { seq, hash } = rows[9] ?? {}
    await emptied([eventsTable, checkpointsTable, chainsTable])
    // Nothing is left that could tell.
    expect(await world.findings()).toEqual([])
    const heads = [{ chain, seq: Number(seq), hash: String(hash) }]
    const { findings } = await verifyTrail(world.db, world.keys, { heads })
    expect(findings.map(({ kind }) => kind)).toEqual(['removed', 'chain-removed'])
  })

  it('V16.4.2 finds a chain cut short, though an older head was put back and its end forgotten', async () => {
    const trail = world.open()
    await emitMany(trail, 3)
    const [old] = (await world.checkpoints()).filter(
      (row) => row['chain'] === trail.chain && row['kind'] === 'head',
    )
    await emitMany(trail, 3)
    await trail.close()
    const next = world.open()
    await emitMany(next, 1)
    const cut = world.db.deleteFrom(eventsTable).where('chain', '=', trail.chain)
    await cut.where('seq', '>', Number(old?.['seq'])).execute()
    const checkpoints = world.db.deleteFrom(checkpointsTable).where('chain', '=', trail.chain)
    await checkpoints.where('kind', 'in', ['head', 'closed']).execute()
    if (old !== undefined) await world.db.insertInto(checkpointsTable).values(old).execute()
    await world.db.updateTable(chainsTable).set({ closedAt: null }).where('chain', '=', trail.chain).execute()
    expect(await world.findings()).toContainEqual(
      expect.objectContaining({ kind: 'removed', chain: trail.chain, toSeq: 6 }),
    )
    await next.close()
  })

  const checkpointColumns = ['chain', 'kind', 'seq', 'hash', 'at', 'heads', 'signature']
  it.each(['start', 'head', 'closed'])('V16.4.2 finds the checkpoint %s changed or removed', async (kind) => {
    const [whole] = (await world.checkpoints()).filter((row) => row['kind'] === kind)
    const values: Readonly<Record<string, string | number>> = {
      seq: 3,
      at: '2020-01-01T00:00:00.000Z',
      heads: '[ ]',
    }
    for (const column of checkpointColumns) {
      const query = world.db.updateTable(checkpointsTable).where('kind', '=', kind)
      await query.set({ [column]: values[column] ?? 'other' }).execute()
      const findings = await world.findings()
      expect(
        findings.map((finding) => finding.kind),
        column,
      ).toContain('checkpoint-forged')
      await world.db
        .deleteFrom(checkpointsTable)
        .where('signature', '=', whole?.['signature'] ?? '')
        .execute()
      if (column === 'signature')
        await world.db.deleteFrom(checkpointsTable).where('signature', '=', 'other').execute()
      const after = await world.findings()
      expect(
        after.map((finding) => finding.kind),
        column,
      ).toContain('checkpoint-removed')
      await world.db
        .insertInto(checkpointsTable)
        .values(whole ?? {})
        .execute()
      expect(await world.findings()).toEqual([])
    }
  })

  it('V16.4.2 finds a checkpoint that somebody has made with a key of their own', async () => {
    const { writeCheckpoint } = await import('./checkpoints.ts')
    const [last] = rows.slice(-1)
    await world.db.deleteFrom(checkpointsTable).where('kind', '=', 'closed').execute()
    const { closedAt } = (await world.chains())[0] ?? {}
    const forged = { chain, seq: 10, hash: String(last?.['hash']), at: String(closedAt), heads: [] }
    await writeCheckpoint(world.db, keysOf(66)[0], { ...forged, kind: 'closed' })
    expect((await found()).map(([kind]) => kind)).toEqual(['checkpoint-forged', 'checkpoint-removed'])
  })

  it.each([
    ['chain', 'other', 'chain-removed'],
    ['keyId', 'other', 'key-unknown'],
    ['startedAt', '2020-01-01T00:00:00.000Z', 'chain-changed'],
    ['closedAt', '2020-01-01T00:00:00.000Z', 'chain-changed'],
    ['closedAt', null, 'chain-changed'],
    ['prunedSeq', 4, 'pruned-unsigned'],
  ] as const)('V16.4.2 finds %s of the table of chains set to %s', async (column, value, kind) => {
    await world.db
      .updateTable(chainsTable)
      .set({ [column]: value })
      .execute()
    expect((await world.findings()).map((finding) => finding.kind)).toContain(kind)
  })

  it('V11.2.2 verifies what an older root secret has sealed, and says when it is not known any more', async () => {
    const newer = keysOf(9)
    const both = await verifyTrail(world.db, [newer[0], world.keys[0]])
    expect(both.findings).toEqual([])
    const alone = await verifyTrail(world.db, newer)
    expect(alone.findings.map(({ kind }) => kind)).toContain('key-unknown')
  })

  it('V16.4.2 finds any single change of any row of any table', { timeout: 120_000 }, async () => {
    const tables = [
      { table: eventsTable, key: 'id', columns: [...eventColumns, 'chain', 'seq'] },
      { table: checkpointsTable, key: 'signature', columns: checkpointColumns },
      { table: chainsTable, key: 'chain', columns: ['chain', 'keyId', 'startedAt', 'closedAt', 'prunedSeq'] },
    ] as const
    const anyChange = fc.constantFrom(...tables).chain(({ table, key, columns }) =>
      fc.record({
        table: fc.constant(table),
        key: fc.constant(key),
        number: fc.nat(9),
        column: fc.option(fc.constantFrom(...columns)),
        text: fc.string({ minLength: 1 }).map((text) => text.replaceAll('\0', '').toWellFormed()),
        count: fc.integer({ min: -5, max: 200 }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(anyChange, async ({ table, key, number, column, text, count }) => {
        const all = await world.db.selectFrom(table).selectAll().orderBy(key).execute()
        const row = all[number % all.length] ?? {}
        const value = column === 'seq' || column === 'prunedSeq' ? count : text
        fc.pre(column === null || (row[column] !== value && !(column === key && value === '')))
        const query = { where: [key, '=', row[key] ?? ''] as const }
        if (column === null)
          await world.db
            .deleteFrom(table)
            .where(...query.where)
            .execute()
        else {
          const isTaken = all.some(
            (other) => column === 'seq' && other['seq'] === value && table === eventsTable,
          )
          fc.pre(!isTaken)
          await world.db
            .updateTable(table)
            .set({ [column]: value })
            .where(...query.where)
            .execute()
        }
        const findings = await world.findings()
        // As it was, for the next one.
        await world.db.deleteFrom(table).execute()
        await world.db.insertInto(table).values(all).execute()
        expect(findings).not.toEqual([])
      }),
      { numRuns: engine === 'sqlite' ? 300 : 60 },
    )
    expect(await world.findings()).toEqual([])
  })

  it('V16.4.2 finds a block removed, and an older head in the place of a newer one', async () => {
    const headOf = async (of: string) =>
      (await world.checkpoints()).find((row) => row['chain'] === of && row['kind'] === 'head') ?? {}
    const restore = async (head: Row) => {
      const heads = world.db.deleteFrom(checkpointsTable).where('chain', '=', head['chain'] ?? '')
      await heads.where('kind', '=', 'head').execute()
      await world.db.insertInto(checkpointsTable).values(head).execute()
    }
    const missing = (of: string, seq: number) => ({
      ...{ kind: 'checkpoint-removed', chain: of, fromSeq: seq, toSeq: seq, id: null },
    })
    const long = world.open()
    await emitMany(long, 1)
    const first = await headOf(long.chain)
    await emitMany(long, 1_050)
    const newest = await headOf(long.chain)
    await restore(first)
    expect(await world.findings()).toEqual([missing(long.chain, 1_051)])
    await restore(newest)
    await world.db.deleteFrom(checkpointsTable).where('kind', '=', 'block').execute()
    expect(await world.findings()).toEqual([missing(long.chain, 1_000)])
    await long.close()

    let nowMs = Date.now()
    const slow = world.open({ nowMs: () => nowMs })
    await emitMany(slow, 1)
    const old = await headOf(slow.chain)
    nowMs += 3_600_000
    await emitMany(slow, 1)
    await restore(old)
    expect(await world.findings()).toContainEqual(missing(slow.chain, 2))
    await slow.close()
  })

  it('V16.4.2 names the first hundred, and counts the rest', async () => {
    const trail = world.open()
    await emitMany(trail, 300)
    await trail.close()
    await world.db
      .updateTable(eventsTable)
      .set({ userId: 'mallory' })
      .where('chain', '=', trail.chain)
      .execute()
    const report = await verifyTrail(world.db, world.keys)
    expect(report.findings).toHaveLength(100)
    expect(report.findingCount).toBe(300)
    const kinds: readonly TrailFaultKind[] = report.findings.map(({ kind }) => kind)
    expect(new Set(kinds)).toEqual(new Set(['changed']))
  })
})

describe.each(engineKinds)('the tables of the trail on %s', (engine) => {
  it('V16.4.2 refuse to be changed and emptied, but for what has been pruned', async () => {
    const world = await trailWorld(engine)
    const trail = world.open()
    await emitMany(trail, 3)
    await trail.transact(async (trx, note) => {
      note({ event: 'user_created', userId: 'ann' })
      await trx.selectFrom(eventsTable).selectAll().execute()
    })
    const { db } = world
    const refused = { code: 'CONFLICT' }
    // The last row has no place yet.
    for (const table of [eventsTable, chainsTable, checkpointsTable])
      for (const column of table === chainsTable ? ['chain', 'keyId', 'startedAt'] : ['chain', 'hash'])
        await expect(
          db
            .updateTable(table)
            .set({ [column]: 'other' })
            .where(table === eventsTable ? 'seq' : 'chain', 'is not', null)
            .execute(),
          `${table}.${column}`,
        ).rejects.toMatchObject(refused)
    for (const column of [...eventColumns.filter((name) => name !== 'hash')])
      await expect(
        db
          .updateTable(eventsTable)
          .set({ [column]: 'other' })
          .where('seq', 'is', null)
          .execute(),
        column,
      ).rejects.toMatchObject(refused)
    for (const seq of [1, 3])
      await expect(db.deleteFrom(eventsTable).where('seq', '=', seq).execute()).rejects.toMatchObject(refused)
    await expect(db.deleteFrom(eventsTable).where('seq', 'is', null).execute()).rejects.toMatchObject(refused)
    await expect(db.deleteFrom(chainsTable).execute()).rejects.toMatchObject(refused)
    await expect(db.deleteFrom(checkpointsTable).where('kind', '=', 'start').execute()).rejects.toMatchObject(
      refused,
    )
    if (engine === 'postgres') {
      const { sql } = await import('kysely')
      await expect(sql.raw(`truncate ${eventsTable}`).execute(db)).rejects.toMatchObject(refused)
    }
    await db.updateTable(chainsTable).set({ prunedSeq: 2 }).execute()
    await expect(db.updateTable(chainsTable).set({ prunedSeq: 1 }).execute()).rejects.toMatchObject(refused)
    await db.deleteFrom(eventsTable).where('seq', '<=', 2).execute()
    await expect(db.deleteFrom(eventsTable).where('seq', '=', 3).execute()).rejects.toMatchObject(refused)
    await trail.idle()
    expect((await world.rows()).map(({ seq }) => seq)).toEqual([3, 4])
    await trail.close()
    await world.drop()
  })
})
