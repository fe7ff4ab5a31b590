import { z } from 'zod'
import { migrations } from '../examples/notes/migrations.ts'
import { Note, NoteRow, Share } from '../examples/notes/tables.ts'
import { createApp, newId, per, words } from '../src/index.ts'
import { benchPassword } from './scale-words.ts'

// The example's reading and listing of notes, with accounts, and limits that a bench does not reach. Hashing is at the
// floor; it runs on threads of its own, and what is told of a sign-in is the time of the main thread.

const wide = per('second', 1_000_000)
const { route, open, owns, signedIn, vocabulary } = words({
  resources: [Note, Share],
  roles: ['admin'],
  // `counted` does not refill while it is measured, so that each address keeps a key.
  limits: { read: wide, auth: wide, token: wide, counted: per('hour', 1_000) },
})
const View = NoteRow.omit({ revision: true })
const readNote = route(
  'GET /api/notes/:id',
  { access: owns(Note), params: NoteRow.pick({ id: true }), output: View, limit: 'read' },
  ({ note }) => note,
)
const listNotes = route(
  'GET /api/notes',
  {
    access: signedIn(),
    query: z.strictObject({
      limit: z.int().min(1).max(100).default(20),
      cursor: z.string().max(500).optional(),
    }),
    output: z.strictObject({ items: z.array(View), nextCursor: z.string().nullable() }),
    limit: 'read',
  },
  ({ db, query, page }) =>
    page(db.selectFrom('notes').selectAll(), {
      by: [
        ['createdAt', 'desc'],
        ['id', 'desc'],
      ],
      ...query,
    }),
)
const countMe = route(
  'GET /count',
  {
    access: open('Takes one from the bucket of the address.'),
    output: z.strictObject({ counted: z.boolean() }),
    limit: 'counted',
  },
  () => ({ counted: true }),
)
const app = createApp({
  title: 'Bench',
  version: '1.0.0',
  vocabulary,
  routes: [readNote, listNotes, countMe],
  migrations,
  accounts: { hashMs: 0 },
})
const server = await app.boot({
  environment: { ...process.env, TRUSTED_PROXIES: '127.0.0.1', LOG_LEVEL: 'error' },
})
const address = await server.listen()
const ownerId = await server.createAccount({
  email: 'person0@example.com',
  password: benchPassword,
  roles: [],
})
const db = server.unscoped('the bench makes people and notes')
const first = await db.selectFrom('holdfast_accounts').selectAll().executeTakeFirstOrThrow()
await db.transaction().execute(async (trx) => {
  // Many people with one password, as an import would leave them: hashing it for each would take minutes.
  for (let index = 1; index < 1_000; index += 1)
    await trx
      .insertInto('holdfast_accounts')
      .values({ ...first, id: newId(), email: `person${index}@example.com` })
      .execute()
  const now = new Date().toISOString()
  for (let index = 0; index < 20; index += 1)
    await trx
      .insertInto('notes')
      .values({
        ...{ id: newId(), ownerId, title: `Note ${index}`, body: 'Bread, tea, lemons.', revision: 1 },
        ...{ createdAt: now, updatedAt: now },
      })
      .execute()
})
process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)))
// The bench fills the database itself, and reads the time of the processor off the process.
console.log(JSON.stringify({ ownerId, pid: process.pid, dataDir: process.env['HOLDFAST_DATA_DIR'], address }))
