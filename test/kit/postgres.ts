import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { postgresServer } from './services.ts'

/** A database of its own on the PostgreSQL server of the tests. */
export interface FreshPostgres {
  readonly url: string
  /** Takes the database away, whoever is still connected, and the role of its application. */
  drop(): Promise<void>
}

/** Makes an empty database. Tests that need PostgreSQL fail without one; they are never skipped. */
export async function freshPostgres(): Promise<FreshPostgres> {
  const name = `holdfast_test_${randomBytes(6).toString('hex')}`
  await onServer((client) => client.query(`create database ${name}`))
  const url = new URL(postgresServer)
  url.pathname = `/${name}`
  return {
    url: url.href,
    drop: () =>
      onServer(async (client) => {
        await client.query(`drop database if exists ${name} with (force)`)
        await client.query(`drop role if exists holdfast_app_${name}`)
      }),
  }
}

async function onServer(run: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: postgresServer })
  await client.connect()
  try {
    await run(client)
  } finally {
    await client.end()
  }
}
