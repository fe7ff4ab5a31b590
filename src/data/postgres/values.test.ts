import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FreshPostgres, freshPostgres } from '../../../test/kit/postgres.ts'
import { Secret } from '../../base/index.ts'
import { type Database, databaseOn } from '../open.ts'
import { PostgresEngine } from './engine.ts'
import { bindable } from './values.ts'

let postgres: FreshPostgres
let database: Database

beforeAll(async () => {
  postgres = await freshPostgres()
  database = databaseOn(new PostgresEngine(new Secret(postgres.url)))
})

afterAll(async () => {
  await database.close()
  await postgres.drop()
})

/** What an expression of SQL is in JavaScript. */
async function read(expression: string): Promise<unknown> {
  const { rows } = await sql.raw<{ value: unknown }>(`select ${expression} as value`).execute(database.db)
  return rows[0]?.value
}

describe('a value of PostgreSQL is read', () => {
  const values: [string, unknown][] = [
    ['7::int8', 7],
    ['9007199254740991::int8', 9007199254740991],
    ['(select count(*) from (values (1), (2)) as v)', 2],
    ['3::int4', 3],
    ['0.1::float8', 0.1],
    ['0.10::numeric', '0.10'],
    ['12345678901234567890.123456789::numeric', '12345678901234567890.123456789'],
    ['true', true],
    ["'a''b'::text", "a'b"],
    ['null::int8', null],
    ["timestamptz '2026-01-31 12:00:00.123456+02'", '2026-01-31T10:00:00.123Z'],
    ["timestamptz '2026-01-31 12:00:00+00'", '2026-01-31T12:00:00.000Z'],
    ["timestamp '2026-01-31 12:00:00.5'", '2026-01-31T12:00:00.500Z'],
    ["timestamp 'infinity'", 'infinity'],
    ["timestamptz '-infinity'", '-infinity'],
    ["date '2026-01-31'", '2026-01-31'],
    [`'{"a": [1, null]}'::jsonb`, { a: [1, null] }],
    [`'[true]'::json`, [true]],
    ["'\\x00ff'::bytea", Buffer.from([0, 255])],
    ["array['a', null]", ['a', null]],
    ['array[1, null]::int8[]', [1, null]],
    ['array[0.10, 12345678901234567890.5]', ['0.10', '12345678901234567890.5']],
    ["array[timestamptz '2026-01-31 12:00:00+00']", ['2026-01-31T12:00:00.000Z']],
    ["array[array[date '2026-01-31'], array[null::date]]", [['2026-01-31'], [null]]],
  ]
  for (const [expression, expected] of values) {
    it(`${expression}`, async () => {
      expect(await read(expression)).toEqual(expected)
    })
  }

  for (const expression of [
    '9007199254740993::int8',
    '(-9007199254740993)::int8',
    'array[9007199254740993]',
  ]) {
    it(`exactly or not at all: ${expression}`, async () => {
      await expect(read(expression)).rejects.toMatchObject({
        code: 'INTERNAL',
        reason: expect.stringContaining('2^53'),
      })
      expect(await read('1')).toBe(1)
    })
  }

  it('the same whatever the database or another library has set', async () => {
    const name = new URL(postgres.url).pathname.slice(1)
    await sql.raw(`alter database "${name}" set datestyle = 'German'`).execute(database.db)
    await sql.raw(`alter database "${name}" set timezone = 'Asia/Kathmandu'`).execute(database.db)
    await sql.raw(`alter database "${name}" set bytea_output = 'escape'`).execute(database.db)
    const other = databaseOn(new PostgresEngine(new Secret(postgres.url)))
    pg.types.setTypeParser(pg.types.builtins.BOOL, () => 'changed')
    const { rows } = await sql`
      select timestamptz '2026-01-31 12:00:00+00' as at, date '2026-01-31' as day, '\\x00ff'::bytea as bytes,
      true as "isTrue"`.execute(other.db)
    await other.close()
    expect(rows).toEqual([
      { at: '2026-01-31T12:00:00.000Z', day: '2026-01-31', bytes: Buffer.from([0, 255]), isTrue: true },
    ])
  })
})

describe('a parameter', () => {
  it('arrives as it was given', async () => {
    const at = new Date('2026-01-31T12:00:00.123Z')
    const { rows } = await sql`
      select ${'ü\u{1f600}'}::text as text, ${5}::int8 as whole, ${10n ** 15n}::int8 as big, ${0.1}::float8 as part,
      ${false}::bool as flag, ${at}::timestamptz as at, ${at}::text as "atText", ${null}::text as none,
      ${new Uint8Array([0, 1, 255]).subarray(1)}::bytea as bytes`.execute(database.db)
    expect(rows).toEqual([
      {
        text: 'ü\u{1f600}',
        whole: 5,
        big: 10 ** 15,
        part: 0.1,
        flag: false,
        at: '2026-01-31T12:00:00.123Z',
        atText: '2026-01-31T12:00:00.123Z',
        none: null,
        bytes: Buffer.from([1, 255]),
      },
    ])
  })

  const refused: [string, unknown, string][] = [
    ['undefined', undefined, 'INTERNAL'],
    ['an object', { a: 1 }, 'INTERNAL'],
    ['a list', [1], 'INTERNAL'],
    ['NaN', Number.NaN, 'INTERNAL'],
    ['Infinity', Number.POSITIVE_INFINITY, 'INTERNAL'],
    ['a date that is none', new Date(Number.NaN), 'INTERNAL'],
    ['a text with a NUL byte', 'a\0b', 'VALIDATION_FAILED'],
  ]
  for (const [name, value, code] of refused) {
    it(`is refused, and the connection goes on: ${name}`, async () => {
      await expect(sql`select ${value}::text`.execute(database.db)).rejects.toMatchObject({ code })
      expect(await read('1')).toBe(1)
    })
  }

  it('with a NUL byte is refused before anything is sent', () => {
    expect(() => bindable('a\0b')).toThrow('a text with a NUL byte')
  })

  it('V1.2.4 is never text of the statement', async () => {
    const value = "'; drop table rows; --"
    const { rows } = await sql<{ value: string }>`select ${value}::text as value`.execute(database.db)
    expect(rows).toEqual([{ value }])
    expect(bindable(value)).toBe(value)
  })
})
