import { migrations } from '../examples/notes/migrations.ts'
import { Note, NoteRow, Share } from '../examples/notes/tables.ts'
import { createApp, developmentUserId, newId, per, testIdentity, testToken, words } from '../src/index.ts'

// The example's way of reading one note, with limits that a bench does not reach.

const { route, owns, vocabulary } = words({
  resources: [Note, Share],
  roles: ['admin'],
  limits: { read: per('second', 1_000_000) },
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
const app = createApp({ title: 'Bench', version: '1.0.0', vocabulary, routes: [readNote], migrations })
const server = await app.boot({ identity: testIdentity })
const id = newId()
const now = new Date().toISOString()
await server
  .unscoped('the bench reads one note')
  .insertInto('notes')
  .values({
    ...{ id, ownerId: developmentUserId('ann'), title: 'Shopping', body: 'Bread, tea, lemons.', revision: 1 },
    ...{ createdAt: now, updatedAt: now },
  })
  .execute()
const address = await server.listen()
process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)))
console.log(`${address}/api/notes/${id} ${testToken(server.settings, { name: 'ann', roles: [] })}`)
