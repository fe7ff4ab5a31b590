import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem } from '../../errors/index.ts'
import { SqliteConnection } from './connection.ts'
import { WriteGroup } from './write-group.ts'
import { WriterQueue } from './writer-queue.ts'

let dir: string
let writer: SqliteConnection
let reader: DatabaseSync
let queue: WriterQueue
let group: WriteGroup

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-group-'))
  const path = join(dir, 'a.sqlite')
  writer = new SqliteConnection(path, 'writer', 100)
  writer.command(
    'create table n (id text primary key, parent text references n deferrable initially deferred)',
  )
  writer.command(
    "create trigger t before insert on n when new.id = 'all' begin select raise(rollback, 'taken back'); end",
  )
  reader = new DatabaseSync(path)
  queue = new WriterQueue()
  group = new WriteGroup(writer, queue, 100)
})

afterEach(() => {
  vi.restoreAllMocks()
  reader.close()
  group.end()
  writer.close()
  rmSync(dir, { recursive: true })
})

function ids(): string[] {
  return reader
    .prepare('select id from n order by id')
    .all()
    .map(({ id }) => String(id))
}

function add(...rows: readonly (string | readonly [string, string])[]): Promise<string>[] {
  return rows.map(async (row) => {
    const [id, parent] = typeof row === 'string' ? [row, null] : row
    const parameters = [id, parent]
    await group.add({ sql: 'insert into n values (?, ?)', parameters, mustChangeCount: 1 })
    // Whoever hears that it is written finds it there.
    return ids().includes(id) ? 'written' : 'answered too early'
  })
}

async function outcomes(added: readonly Promise<unknown>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(added)
  return settled.map((one) => (one.status === 'fulfilled' ? one.value : codeOf(one.reason)))
}

function codeOf(error: unknown): unknown {
  return error instanceof Problem ? error.code : error
}

function commits(): () => number {
  const command = vi.spyOn(SqliteConnection.prototype, 'command')
  return () => command.mock.calls.filter(([text]) => text === 'commit').length
}

function failingCommits(error: Problem): () => void {
  const command = SqliteConnection.prototype.command
  const spied = vi.spyOn(SqliteConnection.prototype, 'command').mockImplementation(function (
    this: SqliteConnection,
    text,
  ) {
    if (text === 'commit') throw error
    command.call(this, text)
  })
  return () => void spied.mockRestore()
}

describe('writes of one turn of the event loop', () => {
  it('share one commit, and none is answered before it', async () => {
    const commitCount = commits()
    const added = add('a', 'b', 'c')
    expect(ids()).toEqual([])
    expect(await outcomes(added)).toEqual(['written', 'written', 'written'])
    expect(commitCount()).toBe(1)
  })

  it('V2.3.3 one that fails is taken back alone', async () => {
    expect(await outcomes(add('a', 'b', 'a', 'c'))).toEqual(['written', 'written', 'CONFLICT', 'written'])
    expect(ids()).toEqual(['a', 'b', 'c'])
  })

  it('V2.3.3 one that changes fewer rows than it must leaves none of them', async () => {
    const two = { sql: "insert into n select value, null from json_each('[1,2]')", parameters: [] }
    const added = [...add('a'), group.add({ ...two, mustChangeCount: 3 }), ...add('b')]
    expect(await outcomes(added)).toEqual(['written', 'NOT_FOUND', 'written'])
    const alone = group.add({ ...two, mustChangeCount: 3 })
    expect(await outcomes([alone])).toEqual(['NOT_FOUND'])
    expect(ids()).toEqual(['a', 'b'])
  })

  it('V2.3.3 one whose answer cannot be read is not written', async () => {
    const sql = 'insert into n values (?, null) returning 9007199254740993 as big'
    const added = [...add('a'), group.add({ sql, parameters: ['big'], mustChangeCount: 0 })]
    expect(await outcomes(added)).toEqual(['written', 'INTERNAL'])
    expect(ids()).toEqual(['a'])
  })

  it('one that takes all of them back does not fail the others', async () => {
    expect(await outcomes(add('a', 'all', 'b'))).toEqual(['written', 'CONFLICT', 'written'])
    expect(ids()).toEqual(['a', 'b'])
  })

  it('one that is refused at the commit does not fail the others', async () => {
    expect(await outcomes(add('a', ['child', 'nobody'], ['b', 'a']))).toEqual([
      'written',
      'CONFLICT',
      'written',
    ])
    expect(ids()).toEqual(['a', 'b'])
  })

  it('V2.3.3 all fail when the disk does not take the commit, and nothing of them is there', async () => {
    const heal = failingCommits(new Problem('UNAVAILABLE', 'the disk is full'))
    const failed = await outcomes(add('a', 'b', 'c'))
    heal()
    expect(failed).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE'])
    expect(ids()).toEqual([])
    expect(await outcomes(add('d'))).toEqual(['written'])
    expect(ids()).toEqual(['d'])
  })

  it('V16.5.2 a full disk fails what does not fit, and keeps whole what does', async () => {
    const [pages] = writer.run('pragma page_count', []).rows
    writer.command(`pragma max_page_count = ${Number(pages?.['page_count']) + 2}`)
    const big = 'x'.repeat(50_000)
    const found = await outcomes(add('a', big, 'b'))
    expect(found[1]).toBe('UNAVAILABLE')
    const acknowledged = ['a', 'b'].filter((_, index) => found[index * 2] === 'written')
    expect(ids()).toEqual(acknowledged)
    writer.command('pragma max_page_count = 100000')
    expect(await outcomes(add(big))).toEqual(['written'])
  })

  it('all are refused while another process holds the file, and none is written later', async () => {
    reader.exec('begin immediate')
    expect(await outcomes(add('a', 'b'))).toEqual(['UNAVAILABLE', 'UNAVAILABLE'])
    reader.exec('commit')
    expect(await outcomes(add('c'))).toEqual(['written'])
    expect(ids()).toEqual(['c'])
  })

  it('are as many commits as their number needs', async () => {
    const commitCount = commits()
    const all = Array.from({ length: 600 }, (_, index) => `n${index}`)
    expect(new Set(await outcomes(add(...all)))).toEqual(new Set(['written']))
    expect(commitCount()).toBe(3)
  })
})

describe('beside a transaction', () => {
  it('wait for its end, and do not become a part of it', async () => {
    const turn = await queue.take(100)
    writer.command('begin immediate')
    const added = add('a', 'b')
    await new Promise((resolve) => setImmediate(resolve))
    writer.run("insert into n values ('mine', null)", [])
    writer.command('rollback')
    turn.release()
    expect(await outcomes(added)).toEqual(['written', 'written'])
    expect(ids()).toEqual(['a', 'b'])
  })

  it('wait for as long as they may, each from when it came', async () => {
    const turn = await queue.take(100)
    const early = add('early')
    await new Promise((resolve) => setTimeout(resolve, 60))
    const late = add('late')
    expect(await outcomes(early)).toEqual(['UNAVAILABLE'])
    turn.release()
    expect(await outcomes(late)).toEqual(['written'])
    expect(ids()).toEqual(['late'])
  })

  it('are written before the database closes, or refused', async () => {
    const written = add('a')
    group.end()
    expect(await outcomes(written)).toEqual(['written'])
    const turn = await queue.take(100)
    const refused = add('b')
    group.end()
    expect(await outcomes(refused)).toEqual(['UNAVAILABLE'])
    turn.release()
    expect(ids()).toEqual(['a'])
  })
})
