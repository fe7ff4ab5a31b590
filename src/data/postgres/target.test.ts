import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Secret } from '../../base/index.ts'
import { DatabaseFault } from '../fault.ts'
import { appRoleOf, type PostgresTarget, readTarget } from './target.ts'

const read = (url: string): PostgresTarget => readTarget(new Secret(url))

let folder: string
let authority: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-target-'))
  authority = join(folder, 'ca.pem')
  writeFileSync(authority, 'a certificate')
})

afterAll(() => rmSync(folder, { recursive: true }))

describe('a PostgreSQL URL', () => {
  const parts: [string, Partial<PostgresTarget>][] = [
    [
      'postgres://ann:p%40ss%2Fw%3A@db.example:6432/notes',
      { host: 'db.example', port: 6432, user: 'ann', password: 'p@ss/w:', database: 'notes' },
    ],
    ['postgresql://ann@db.example/notes', { port: 5432, password: undefined }],
    ['postgres://ann@[::1]/notes', { host: '::1', ssl: false }],
    ['postgres://ann@[2001:db8::1]:5433/notes', { host: '2001:db8::1', port: 5433 }],
    ['postgres://ann@localhost/notes?host=/run/postgresql', { host: '/run/postgresql', ssl: false }],
    ['postgres://ann@localhost/a%20b', { database: 'a b' }],
    ['postgres://ann@%2Frun%2Fpostgresql/notes', { host: '/run/postgresql', ssl: false }],
  ]
  for (const [url, expected] of parts) {
    it(`is read: ${url}`, () => {
      expect(read(url)).toMatchObject(expected)
    })
  }

  const verified = { rejectUnauthorized: true }
  const transports: [string, false | object][] = [
    ['postgres://db.example/n', verified],
    ['postgres://10.0.0.7/n', verified],
    ['postgres://db.example/n?sslmode=prefer', verified],
    ['postgres://db.example/n?sslmode=allow', verified],
    ['postgres://db.example/n?sslmode=require', verified],
    ['postgres://db.example/n?sslmode=verify-ca', verified],
    ['postgres://db.example/n?sslmode=verify-full', verified],
    ['postgres://db.example/n?sslmode=no-verify', { rejectUnauthorized: false }],
    ['postgres://db.example/n?sslmode=disable', false],
    ['postgres://localhost/n', false],
    ['postgres://127.0.0.1/n', false],
    ['postgres://127.8.9.10/n', false],
    ['postgres://localhost/n?sslmode=verify-full', verified],
    // Names and numbers that only look like this machine.
    ['postgres://localhost.example/n', verified],
    ['postgres://127.0.0.1.example/n', verified],
    ['postgres://0.0.0.0/n', verified],
    ['postgres://localhost/n?host=db.example', verified],
  ]
  for (const [url, ssl] of transports) {
    it(`V12.3.2 decides how to get there: ${url}`, () => {
      expect(read(url).ssl).toEqual(ssl)
    })
  }

  it('V12.3.2 names the authority to trust', () => {
    expect(read(`postgres://db.example/n?sslrootcert=${authority}`).ssl).toEqual({
      rejectUnauthorized: true,
      ca: 'a certificate',
    })
    expect(read(`postgres://localhost/n?sslrootcert=${authority}`).ssl).toMatchObject(verified)
  })

  const wrong: [string, string][] = [
    ['hunter2', 'is no URL'],
    ['postgres://ann:hunter2@db.example:port/n', 'is no URL'],
    ['postgres://ann:hunter2@db.example/n?sslmode=on', 'has an sslmode that is none of'],
    ['postgres://ann:hunter2@db.example/n?sslmode=', 'has an sslmode that is none of'],
    ['postgres://ann:hunter2@db.example/n?options=-c%20role%3Dpostgres', 'has a parameter that is not known'],
    ['postgres://ann:hunter2@db.example/n?sslrootcert=/nowhere/ca.pem', 'cannot be read'],
    ['postgres://ann:hunter2%@db.example/n', 'is no URL'],
    ['postgres://ann:hunter2@db.example/n%', 'is no URL'],
  ]
  for (const [url, message] of wrong) {
    it(`V16.2.5 is refused without being shown: ${url}`, () => {
      let error: unknown
      try {
        read(url)
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(DatabaseFault)
      expect(inspect(error)).toContain(message)
      expect(inspect(error)).not.toContain('hunter2')
    })
  }
})

describe('V13.2.2 the role of requests', () => {
  const role = (database: string): string => appRoleOf(new Secret(`postgres://localhost/${database}`))

  it('differs for each database, and stays within what PostgreSQL takes for a name', () => {
    const long = 'n'.repeat(63)
    const names = ['notes', 'Notes', 'no-tes', 'no_tes', long, `${long.slice(1)}m`]
    const roles = names.map(role)
    expect(new Set(roles).size).toBe(names.length)
    for (const one of roles) expect(one).toMatch(/^holdfast_app_[a-z0-9_]{1,50}$/)
  })
})
