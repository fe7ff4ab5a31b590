import { migrations } from '../examples/notes/migrations.ts'
import { Note, NoteRow, NoteView, Share } from '../examples/notes/tables.ts'
import { createApp, per, words } from '../src/index.ts'

// The example's way of making and changing a note, everything on, with limits that a bench does not reach.

const noteCount = 64
const wide = per('second', 1_000_000)
const { route, owns, signedIn, vocabulary } = words({
  resources: [Note, Share],
  roles: ['admin'],
  limits: { write: wide, auth: wide },
})
const Draft = NoteRow.pick({ title: true, body: true })
const createNote = route(
  'POST /api/notes',
  { access: signedIn(), body: Draft, output: NoteView, limit: 'write', idempotency: 'optional' },
  ({ db, body }) => db.insertInto('notes').values(body).returningAll().executeTakeFirstOrThrow(),
)
const changeNote = route(
  'PATCH /api/notes/:id',
  {
    access: owns(Note),
    params: NoteRow.pick({ id: true }),
    body: Draft.partial(),
    output: NoteView,
    limit: 'write',
  },
  ({ db, note, body }) =>
    db.updateTable('notes').set(body).where('id', '=', note.id).returningAll().executeTakeFirstOrThrow(),
)
const app = createApp({
  title: 'Bench',
  version: '1.0.0',
  vocabulary,
  routes: [createNote, changeNote],
  migrations,
  accounts: { hashMs: 0 },
})
const [url] = process.argv.slice(2)
const server = await app.boot({
  environment: { ...process.env, ...(url === undefined ? {} : { DATABASE_URL: url }) },
})
const address = await server.listen()
const person = { email: 'writer@example.com', password: 'violet anchors hum softly' }
await server.createAccount({ ...person, roles: [] })

async function post(path: string, body: unknown, token?: string): Promise<unknown> {
  const reply = await fetch(address + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  })
  return await reply.json()
}

const token = String(Reflect.get(Object(await post('/api/auth/login', person)), 'accessToken'))
const ids: string[] = []
for (let count = 0; count < noteCount; count += 1) {
  const note = await post('/api/notes', { title: `Note ${count}`, body: 'Bread, tea, lemons.' }, token)
  ids.push(String(Reflect.get(Object(note), 'id')))
}
process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)))
console.log(`ready ${address} ${process.pid} ${token} ${ids.join(',')}`)
