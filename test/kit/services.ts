import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'

/** The PostgreSQL server that tests make their databases on. */
export const postgresServer: string =
  process.env['HOLDFAST_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'

/** Whether something listens where the PostgreSQL server of the tests should be. */
export async function isPostgresThere(): Promise<boolean> {
  const { hostname, port } = new URL(postgresServer)
  const socket = connect({ host: hostname, port: Number(port || 5432), timeout: 1_000 })
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.once('timeout', () => resolve(false))
    })
  } finally {
    socket.destroy()
  }
}

/** The test files that make a PostgreSQL database by themselves. */
export function filesThatNeedPostgres(): string[] {
  const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'])
  return files.filter((file) =>
    /kit\/(postgres|orm-world|postgres-wire)\.ts'|freshDatabase\('postgres'\)/.test(
      readFileSync(file, 'utf8'),
    ),
  )
}

/** Whether there are the commands with which tests start Redis servers of their own. */
export function isRedisThere(): boolean {
  return ['redis-server', 'redis-cli'].every((command) => spawnSync(command, ['--version']).status === 0)
}

/** The test files that start a Redis server. */
export function filesThatNeedRedis(): string[] {
  const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'])
  return files.filter((file) => /kit\/redis\.ts'/.test(readFileSync(file, 'utf8')))
}
