import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hash as bcrypt } from '@node-rs/bcrypt'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import notes from '../../../examples/notes/app.ts'
import { type Ended, holdfast } from '../../../test/kit/command-line.ts'
import { startNotes } from '../../../test/kit/notes-server.ts'

// The real command, as a process of its own, on the data of the example.

const app = fileURLToPath(new URL('../../../examples/notes/app.ts', import.meta.url))
const password = 'violet anchors hum softly'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-users-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function users(words: readonly string[], input = ''): Promise<Ended> {
  const environment = { NODE_ENV: 'test', HOLDFAST_DATA_DIR: folder }
  return holdfast(['users', ...words, '--app', app], { environment, input })
}

function importOf(name: string, text: string, words: readonly string[] = []): Promise<Ended> {
  const file = join(folder, name)
  writeFileSync(file, text)
  return users(['import', file, ...words])
}

const unhurried = { timeout: 60_000 }

describe('holdfast users', unhurried, () => {
  it('V6.2.1 makes an account that can log in, and lists it; the password is never an argument', async () => {
    const made = await users(
      ['create', 'Ann@Example.com', '--roles', 'admin', '--name', 'Ann'],
      `${password}\n`,
    )
    expect(made.code).toBe(0)
    // What was done is an event, and the log of a command goes to standard error.
    expect(JSON.parse(made.err)).toMatchObject({ event: 'user_created' })
    expect(made.out).toMatch(/^Account [0-9a-f-]{36} for ann@example\.com is there\.\n$/)
    expect((await users([])).out).toMatch(/ann@example\.com +admin +\d{4}-\d\d-\d\d +never +active\n$/)
    const listed: unknown = JSON.parse((await users(['list', '--json'])).out)
    expect(listed).toMatchObject({ email: 'ann@example.com', name: 'Ann', roles: ['admin'] })
    expect(JSON.stringify(listed)).not.toContain('argon2')
    const running = await startNotes(notes, 'sqlite', null, { HOLDFAST_DATA_DIR: folder })
    const login = { body: { email: 'ann@example.com', password } }
    expect((await running.ask('POST', '/api/auth/login', login)).status).toBe(200)
    await running.stop()
  })

  it('refuses with the reason, and makes nothing', async () => {
    const common = await users(['create', 'ann@example.com'], 'passwordpassword\n')
    expect(common).toMatchObject({ code: 1, out: '' })
    expect(common.err).toContain('Refused: password is one of the passwords that are tried first')
    const twice = ['create', 'ben@example.com']
    expect((await users(twice, password)).code).toBe(0)
    expect(await users(twice, password)).toMatchObject({
      code: 1,
      err: 'Refused: the address has an account.\n',
    })
    for (const [words, input, said] of [
      [['create', 'not-an-address'], password, 'expected one plain e-mail address'],
      [['create', 'c@example.com', '--roles', 'emperor'], password, 'expected roles among admin'],
      [['create', 'c@example.com'], '', 'first line of standard input'],
      [['disable', 'nobody@example.com'], '', 'Nobody has the address'],
      [['disabel', 'c@example.com'], '', 'Did you mean disable?'],
      [['roles', 'c@example.com'], '', 'takes an address and roles'],
      [['import', 'accounts.txt'], '', 'Say --type csv or --type jsonl'],
      [['import', 'missing.csv'], '', 'ENOENT'],
      [['list', '--name', 'x'], '', '--name goes with create'],
    ] as const) {
      const ended = await users(words, input)
      expect([1, 2]).toContain(ended.code)
      expect(ended.err).toContain(said)
    }
    expect((await users(['list', '--json'])).out.trim().split('\n')).toHaveLength(1)
  })

  it('V8.1.3 changes roles and standing, and keeps the last administrator', async () => {
    await users(['create', 'ann@example.com', '--roles', 'admin'], password)
    expect(await users(['disable', 'ann@example.com'])).toMatchObject({ code: 1 })
    expect(await users(['roles', 'ann@example.com', ''])).toMatchObject({ code: 1 })
    await users(['create', 'ben@example.com'], password)
    expect((await users(['roles', 'ben@example.com', 'admin'])).out).toBe(
      'ben@example.com is active and has the roles admin.\n',
    )
    expect((await users(['disable', 'ann@example.com'])).out).toContain('ann@example.com is disabled')
    expect((await users(['enable', 'ann@example.com'])).out).toContain('ann@example.com is active')
    expect((await users(['sign-out', 'ann@example.com'])).out).toContain('signed out on every device')
  })

  it('V11.4.2 imports accounts with their hashes, reports what it refuses, and can be run again', async () => {
    const old = await bcrypt(password, 4)
    const csv = [
      '\uFEFFemail,name,passwordHash,roles,createdAt,disabled',
      `ann@example.com,"Ann, the first",${old},admin,2020-01-02,`,
      'ben@example.com,"Ben ""B"" Bee",,,,true',
      'not-an-address,x,,,,',
      'cat@example.com,x,5f4dcc3b5aa765d61d8327deb882cf99,,,',
      'dan@example.com,x,,emperor,,',
      'eve@example.com,x,,,next week,',
      'fay@example.com,too,few',
      '',
    ].join('\r\n')
    const first = await importOf('accounts.csv', csv)
    expect(first.code).toBe(1)
    expect(first.out).toMatch(/^2 accounts added, 0 there before, 5 refused\.\n/)
    for (const line of [4, 5, 6, 7, 8]) expect(first.out).toMatch(new RegExp(`^  line ${line}: `, 'm'))
    // A hash that is refused is not shown: it may be crackable.
    expect(first.out).not.toContain('5f4dcc3b')
    const again = await importOf('accounts.csv', csv, ['--json'])
    expect(
      again.out
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line))
        .at(-1),
    ).toMatchObject({
      addedCount: 0,
      presentCount: 2,
      refusedCount: 5,
    })
    const running = await startNotes(notes, 'sqlite', null, { HOLDFAST_DATA_DIR: folder })
    const login = { body: { email: 'ann@example.com', password } }
    expect((await running.ask('POST', '/api/auth/login', login)).status).toBe(200)
    const rowNow = () =>
      running.server
        .unscoped('the hash after the login')
        .selectFrom('holdfast_accounts')
        .selectAll()
        .where('email', '=', 'ann@example.com')
        .executeTakeFirstOrThrow()
    expect(await rowNow()).toMatchObject({ name: 'Ann, the first', createdAt: '2020-01-02T00:00:00.000Z' })
    // The reply does not wait for it.
    await expect.poll(async () => String((await rowNow())['passwordHash'])).toMatch(/^\$argon2id\$/)
    await running.stop()
  })

  it('imports JSON lines, and says where a file is in another form', async () => {
    const rows = Array.from({ length: 1_200 }, (_, index) =>
      JSON.stringify({ email: `person${index}@example.com`, roles: index === 7 ? ['admin'] : [] }),
    )
    const broken = [...rows, '{"email":', '["a@example.com"]', '{"email":"z@example.com","role":"admin"}']
    const ended = await importOf('accounts.jsonl', broken.join('\n'))
    expect(ended.code).toBe(1)
    expect(ended.out).toBe(
      '1,200 accounts added, 0 there before, 3 refused.\n' +
        '  line 1201: is no JSON object\n  line 1202: is no JSON object\n' +
        '  line 1203: has an unknown member; there are email, name, passwordHash, roles, createdAt, disabled\n',
    )
    expect((await users(['list', '--json'])).out.trim().split('\n')).toHaveLength(1_200)
    for (const [name, text, said] of [
      ['a.csv', 'mail\nx@example.com\n', 'a column "mail"'],
      ['a.csv', 'email,email\n', 'the column email twice'],
      ['a.csv', 'email\n"x@example.com\n', 'a quote that is not closed'],
      ['a.csv', `email\n"${'x'.repeat(70_000)}`, 'more than 65536 characters'],
      ['a.csv', 'email\n"x@example.com"y\n', 'goes on after a closing quote'],
      ['a.jsonl', `{"email":"${'x'.repeat(70_000)}`, 'more than 65536 characters'],
    ] as const) {
      const refused = await importOf(name, text)
      expect(refused.code).toBe(78)
      expect(refused.err).toContain(said)
    }
    writeFileSync(join(folder, 'a.csv'), Buffer.from([0x65, 0x6d, 0x61, 0x69, 0x6c, 0x0a, 0xff, 0xfe]))
    expect((await users(['import', join(folder, 'a.csv')])).err).toContain('not in UTF-8')
  })
})
