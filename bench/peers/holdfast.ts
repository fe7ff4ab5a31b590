import { migrations } from '../../examples/notes/migrations.ts'
import { Note, NoteView, Share } from '../../examples/notes/tables.ts'
import { createApp, Problem, per, words } from '../../src/index.ts'
import { introduce, itemsOf, paths, rules, stopWith } from './shared.ts'

// Holdfast as it comes: accounts, detection, log, metrics and trail on, all at their defaults, and the token of somebody
// who has logged in. Only the limit of the class is one that a bench does not reach. Once from memory, once from SQLite.

// The clock of a check, moved back while a token is made that is then too old. It stands still for the bench.
const wallMs = Date.now
let clockMs = 0
if (process.env['BENCH_LIMIT'] !== undefined) Date.now = () => wallMs() + clockMs

const { route, signedIn, owns, vocabulary } = words({
  resources: [Note, Share],
  roles: ['admin'],
  limits: { read: per('minute', rules.limitPerMinute) },
})
let items = itemsOf('')
const readItem = route(
  'GET /api/items/:id',
  { access: signedIn(), params: NoteView.pick({ id: true }), output: NoteView, limit: 'read' },
  ({ params, user }) => {
    const item = items.get(params.id)
    if (item === undefined || item.ownerId !== user.id)
      throw new Problem('NOT_FOUND', 'no such item of theirs')
    return item
  },
)
const readNote = route(
  'GET /api/notes/:id',
  { access: owns(Note), params: NoteView.pick({ id: true }), output: NoteView, limit: 'read' },
  ({ note }) => note,
)
const app = createApp({
  title: 'Bench',
  version: '1.0.0',
  vocabulary,
  routes: [readItem, readNote],
  migrations,
})
const server = await app.boot()
const who = { email: 'ann@example.com', password: 'violet anchors hum softly' }
const readerId = await server.createAccount({ ...who, roles: [] })
items = itemsOf(readerId)
const rows = [...items.values()].map(({ secret, ...row }) => ({ ...row, revision: 1 }))
const mine = rows.filter((row) => row.ownerId === readerId)
await server.unscoped('the bench reads notes').insertInto('notes').values(mine).execute()
const address = await server.listen()

async function logIn(): Promise<string> {
  const reply = await fetch(`${address}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(who),
  })
  return String(Reflect.get(Object(await reply.json()), 'accessToken'))
}

async function logOut(token: string): Promise<void> {
  await fetch(`${address}/api/auth/logout`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
}

const good = await logIn()
clockMs = -3_600_000
const expired = await logIn()
clockMs = 0
const revoked = await logIn()
await logOut(revoked)
const [head, payload] = good.split('.')
const forged = [head, payload, 'A'.repeat(86)].join('.')
introduce(address, { good, expired, forged, revoked }, { note: paths.read.replace('items', 'notes') })
stopWith(() => server.stop())
