import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type App,
  createLogger,
  developmentUserId,
  type IdentitySource,
  type Server,
  testIdentity,
  testToken,
} from 'holdfast'
import notes from '../../examples/notes/app.ts'
import { type Answer, type Asking, askWith } from './client.ts'
import type { EngineKind } from './databases.ts'
import { freshPostgres } from './postgres.ts'

/** The example application, running. */
export interface NotesServer {
  readonly server: Server
  /** `http://127.0.0.1:…` */
  readonly address: string
  /** What has been logged, one JSON text a line. */
  readonly lines: readonly string[]
  /** Someone to be. */
  person(name: string): Person
  /** Sends a request without a credential. */
  readonly ask: (method: string, path: string, asking?: Asking) => Promise<Answer>
  /** Stops it and removes its data folder. */
  stop(): Promise<void>
}

/** Somebody with a valid credential. */
export interface Person {
  readonly id: string
  readonly token: string
  /** Sends a request with the credential. */
  readonly ask: (method: string, path: string, asking?: Asking) => Promise<Answer>
  /** Makes a note and answers with its id. */
  readonly note: (title: string) => Promise<string>
}

/**
 * Starts the example, or a variant of it, on a free port with data of its own, on SQLite unless told otherwise.
 *
 * @param identity Who callers are: people of the test identity, or those of accounts when it is `null`.
 * @param environment Settings that differ.
 * @example
 * const notes = await startNotes()
 * const made = await notes.person('ann').ask('POST', '/api/notes', { body: { title: 'a', body: 'b' } })
 * await notes.stop()
 */
export async function startNotes(
  app: App = notes,
  engine: EngineKind = 'sqlite',
  identity: IdentitySource | null = testIdentity,
  environment: Readonly<Record<string, string>> = {},
): Promise<NotesServer> {
  const postgres = engine === 'postgres' ? await freshPostgres() : undefined
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-notes-'))
  const lines: string[] = []
  const server = await app.boot({
    environment: {
      NODE_ENV: 'test',
      PORT: '0',
      HOLDFAST_DATA_DIR: folder,
      // What a test of something else sends by the hundred looks like an attack, and is answered like one.
      DETECTION: 'off',
      ...(postgres === undefined ? {} : { DATABASE_URL: postgres.url }),
      ...environment,
    },
    ...(identity === null ? {} : { identity }),
    logger: createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } }),
  })
  const address = await server.listen()
  return {
    server,
    address,
    lines,
    person: (name) => personOf(server, address, name),
    ask: askWith(address, {}),
    async stop() {
      await server.stop()
      await postgres?.drop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function personOf(server: Server, address: string, name: string): Person {
  const token = testToken(server.settings, { name, roles: [] })
  const ask = askWith(address, { authorization: `Bearer ${token}` })
  return {
    id: developmentUserId(name),
    token,
    ask,
    note: async (title) => {
      const made = await ask('POST', '/api/notes', { body: { title, body: '' } })
      return made.text('id')
    },
  }
}
