import { migrations } from '../examples/notes/migrations.ts'
import { Note, NoteRow, Share } from '../examples/notes/tables.ts'
import { createApp, newId, per, words } from '../src/index.ts'

// The example's way of reading one note, by somebody with an account; limits that a bench does not reach, and hashing
// at the floor, so that what is measured is the queue before it and not a choice of cost.

const wide = per('second', 1_000_000)
const { route, owns, vocabulary } = words({
  resources: [Note, Share],
  roles: ['admin'],
  limits: { read: wide, auth: wide, token: wide },
})
const readNote = route(
  'GET /api/notes/:id',
  {
    access: owns(Note),
    params: NoteRow.pick({ id: true }),
    output: NoteRow.omit({ revision: true }),
    limit: 'read',
  },
  ({ note }) => note,
)
const app = createApp({
  title: 'Bench',
  version: '1.0.0',
  vocabulary,
  routes: [readNote],
  migrations,
  accounts: { hashMs: 0 },
})
const server = await app.boot({
  environment: { ...process.env, TRUSTED_PROXIES: '127.0.0.1', LOG_LEVEL: 'error' },
})
const address = await server.listen()
const password = 'violet anchors hum softly'
await server.createAccount({ email: 'reader@example.com', password, roles: [] })
// Many people with one password, as an import would leave them: hashing it for each would take minutes.
const personCount = 6_000
const db = server.unscoped('the bench makes people')
const reader = await db.selectFrom('holdfast_accounts').selectAll().executeTakeFirstOrThrow()
await db.transaction().execute(async (trx) => {
  for (let index = 0; index < personCount; index++)
    await trx
      .insertInto('holdfast_accounts')
      .values({ ...reader, id: newId(), email: `person${index}@example.com` })
      .execute()
})
const login = await fetch(`${address}/api/auth/login`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ email: 'reader@example.com', password }),
})
const token = String(Reflect.get(Object(await login.json()), 'accessToken'))
const me = await fetch(`${address}/api/users/me`, { headers: { authorization: `Bearer ${token}` } })
const ownerId = String(Reflect.get(Object(await me.json()), 'id'))
const id = newId()
const now = new Date().toISOString()
await server
  .unscoped('the bench reads one note')
  .insertInto('notes')
  .values({
    ...{ id, ownerId, title: 'Shopping', body: 'Bread, tea, lemons.', revision: 1 },
    ...{ createdAt: now, updatedAt: now },
  })
  .execute()
process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)))
console.log(`${address}/api/notes/${id} ${token}`)
