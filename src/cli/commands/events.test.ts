import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Ended, holdfast, startHoldfast } from '../../../test/kit/command-line.ts'
import { eventsTable } from '../../audit/index.ts'
import { openDatabase } from '../../data/index.ts'

// The real command, as a process of its own, on the data of the example.

const app = fileURLToPath(new URL('../../../examples/notes/app.ts', import.meta.url))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-events-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const environmentOf = () => ({ NODE_ENV: 'test', HOLDFAST_DATA_DIR: folder })

function run(words: readonly string[]): Promise<Ended> {
  return holdfast([...words, '--app', app], { environment: environmentOf() })
}
const events = (...words: readonly string[]) => run(['events', ...words])
const ban = (address: string) => run(['bans', 'add', address, '--for', '1h', '--reason', 'scans'])

/** Whoever has the file takes the triggers away, and writes what they like. */
async function tamper(change: Record<string, string>): Promise<void> {
  const file = readdirSync(folder).find((name) => /\.(db|sqlite)$/.test(name)) ?? ''
  const database = openDatabase(join(folder, file))
  const { rows } = await sql<{ name: string }>`select name from sqlite_schema where type = 'trigger'`.execute(
    database.db,
  )
  for (const { name } of rows) await sql.raw(`drop trigger ${name}`).execute(database.db)
  await database.db.updateTable(eventsTable).set(change).execute()
  await database.close()
}

describe('holdfast events', { timeout: 120_000 }, () => {
  it('V16.2.1 V16.4.2 shows, exports and verifies what happened', async () => {
    await ban('203.0.113.9')
    await ban('198.51.100.0/24')
    const tail = await events('tail', '--no-follow')
    expect(tail).toMatchObject({ code: 0 })
    expect(tail.out).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d .*authz_change .*203\.0\.113\.9.*\n.*198\.51\.100/,
    )
    const asJson = await events('tail', '--no-follow', '--json', '--event', 'authz_change')
    expect(
      asJson.out
        .trim()
        .split('\n')
        .map((line) => Reflect.get(JSON.parse(line), 'event')),
    ).toEqual(['authz_change', 'authz_change'])
    expect((await events('tail', '--no-follow', '--event', 'user_deleted')).out).toBe('')
    const verified = await events('verify')
    expect(verified).toMatchObject({ code: 0 })
    expect(verified.out).toMatch(/^The audit trail is whole: 2 rows in 2 chains, 6 checkpoints\.\n$/)
    const output = join(folder, 'events.ocsf')
    expect((await events('export', '--as', 'ocsf', '--output', output)).code).toBe(0)
    expect(statSync(output).mode & 0o777).toBe(0o600)
    const again = await events('export', '--output', output)
    expect(again).toMatchObject({ code: 1, out: '' })
    expect(again.err).toContain('is left as it is')
    const lines = readFileSync(output, 'utf8').trim().split('\n')
    expect(lines.map((line) => Reflect.get(JSON.parse(line), 'class_uid'))).toEqual([6003, 6003])
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
    const ecs = (await events('export', '--as', 'ecs', '--since', '1h')).out.trim().split('\n')
    expect(ecs).toHaveLength(2)
    expect((await events('export', '--until', '1h')).out).toBe('')
  })

  it('V16.4.2 names what was altered with exit code 1, and refuses to prune it', async () => {
    await ban('203.0.113.9')
    await tamper({ reason: 'nothing to see here' })
    const verified = await events('verify')
    expect(verified.code).toBe(1)
    expect(verified.out).toMatch(/chain [0-9a-f-]{36} row 1 \([0-9a-f-]{36}\): was changed\nFound 1\. /)
    const asJson = await events('verify', '--json')
    expect(asJson.code).toBe(1)
    expect(JSON.parse(asJson.out)).toMatchObject({
      findingCount: 1,
      findings: [{ kind: 'changed', fromSeq: 1 }],
    })
    const pruned = await events('prune', '--older-than', '1s', '--reason', 'old')
    expect(pruned).toMatchObject({ code: 1, out: '' })
    expect(pruned.err).toContain('was changed')
  })

  it('V16.4.2 holds the trail against a log of the server', async () => {
    const banned = await ban('203.0.113.9')
    await ban('198.51.100.7')
    const log = join(folder, 'server.log')
    const chain = Reflect.get(JSON.parse((await events('verify', '--json')).out), 'chainCount')
    expect(chain).toBe(2)
    const lines = [
      'no JSON, audit trail checkpoint',
      '"audit trail checkpoint"',
      JSON.stringify({ msg: 'audit trail checkpoint', chain: 'gone', seq: 3, reached: 'abcd efgh' }),
      JSON.stringify({ msg: 'audit trail checkpoint', chain: 'gone', seq: 2, reached: 'abcd' }),
    ]
    writeFileSync(log, banned.err)
    expect((await events('verify', '--log', log)).code).toBe(0)
    writeFileSync(log, `${banned.err}${lines.join('\n')}\n`)
    const found = await events('verify', '--log', log)
    expect(found.code).toBe(1)
    expect(found.out).toContain('chain gone rows 1 to 3: removed\n')
  })

  it('V14.2.7 prunes what is old, and says in the trail who asked and why', async () => {
    await ban('203.0.113.9')
    // Older than a second, whatever the machine does meanwhile.
    await expect
      .poll(async () => (await events('prune', '--older-than', '1s', '--reason', 'too old', '--json')).out, {
        timeout: 60_000,
      })
      .toBe('{"rowCount":1,"chainCount":1}\n')
    const left = (await events('tail', '--no-follow')).out
    expect(left).toMatch(/audit_pruned .*\(too old\)/)
    expect(left).not.toContain('203.0.113.9')
    expect((await events('verify')).code).toBe(0)
  })

  it('V1.2.1 V16.4.1 lets nothing through to the terminal that somebody has written into the trail', async () => {
    await ban('203.0.113.9')
    const evil = 'a\u001b[2J\u009b31m\u202eb\nc\rd\u2028e\u0007'
    await tamper({ reason: evil, userId: evil, route: evil, address: evil, actorId: evil, chain: evil })
    const outputs = [
      await events('tail', '--no-follow'),
      await events('tail', '--no-follow', '--json'),
      await events('verify'),
      await events('verify', '--json'),
      ...(await Promise.all(['jsonl', 'ocsf', 'ecs'].map((form) => events('export', '--as', form)))),
    ]
    for (const { out, err } of outputs) {
      expect(out).toContain('[2J')
      expect((out + err).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Zl}\u202a-\u202e]/u)
    }
    expect(outputs[0]?.out.trim().split('\n')).toHaveLength(1)
    const [line = ''] = outputs[1]?.out.split('\n') ?? []
    expect(JSON.parse(line)).toMatchObject({ reason: evil })
  })

  it('V16.2.1 follows until it is stopped', async () => {
    const following = startHoldfast(['events', '--app', app, '--json'], { environment: environmentOf() })
    await ban('203.0.113.9')
    const second = ban('198.51.100.7')
    await following.says('198.51.100.7')
    following.signal('SIGINT')
    expect(await following.ended).toMatchObject({ code: 0 })
    await second
  })

  const misused = [
    { words: ['verfy'], says: 'events has no "verfy". Did you mean verify?' },
    { words: ['verify', '--since', '1h'], says: '--since goes with tail and export.' },
    { words: ['prune', '--older-than', '1d'], says: '--older-than TIME and --reason TEXT' },
    { words: ['prune', '--reason', 'x'], says: '--older-than TIME and --reason TEXT' },
    { words: ['prune', '--older-than', 'a year', '--reason', 'x'], says: '--older-than takes a time' },
    { words: ['tail', '--event', 'nonsense\u001b[31m'], says: 'There is no event "nonsense\\u001b[31m"' },
    { words: ['tail', '--as', 'ocsf'], says: '--as goes with export.' },
    { words: ['export', '--as', 'csv'], says: '--as takes one of jsonl, ocsf, ecs.' },
    { words: ['tail', '--log', 'server.log'], says: '--log goes with verify.' },
    { words: ['export', '--no-follow'], says: '--no-follow goes with tail.' },
    { words: ['tail', 'more'], says: 'events takes [tail|verify|export|prune].' },
  ]
  it('V2.2.1 exits with 2 for a call that cannot be understood', async () => {
    const ended = await Promise.all(misused.map(async (one) => ({ ...one, ...(await events(...one.words)) })))
    for (const { words, says, code, out, err } of ended) {
      expect({ words, code, out }).toEqual({ words, code: 2, out: '' })
      expect(err).toContain(says)
      expect(err).not.toContain('\u001b')
    }
  })
})
