const vocabulary = `import { noContent, per, resource, words } from 'holdfast'
import { z } from 'zod'

const NoteRow = z.strictObject({
  id: z.uuid(),
  ownerId: z.uuid(),
  title: z.string().max(200),
  body: z.string().max(20_000),
  createdAt: z.iso.datetime(),
})
export const Note = resource('note', 'notes', {
  row: NoteRow,
  owner: 'ownerId',
  server: { id: 'uuid', createdAt: 'created' },
})
export const { route, open, signedIn, role, owns } = words({
  resources: [Note],
  roles: ['admin', 'clerk'],
  limits: { read: per('minute', 300), write: per('minute', 60) },
})
const ById = z.strictObject({ id: z.uuid() })
const View = z.strictObject({ id: z.uuid(), title: z.string().max(200) })
`

// Each names its own schema, as real routes do, and each uses what its context gives.
const shapes: readonly ((n: number) => string)[] = [
  (n) => `export const list${n} = route(
  'GET /api/r${n}/notes',
  { access: signedIn(), query: z.strictObject({ q${n}: z.string().max(9) }), output: z.array(View).max(100), limit: 'read' },
  async ({ db, query }) => await db.selectFrom('notes').select(['id', 'title']).where('title', '=', query.q${n}).execute(),
)`,
  (n) => `export const read${n} = route(
  'GET /api/r${n}/notes/:id',
  { access: owns(Note).or(role('clerk')), params: ById, output: View, limit: 'read' },
  ({ note, params }) => ({ id: params.id, title: note.title }),
)`,
  (n) => `export const create${n} = route(
  'POST /api/r${n}/notes',
  { access: signedIn(), body: z.strictObject({ t${n}: z.string().max(200) }), output: View, limit: 'write' },
  ({ db, body }) => db.insertInto('notes').values({ title: body.t${n}, body: '' }).returningAll().executeTakeFirstOrThrow(),
)`,
  (n) => `export const remove${n} = route(
  'DELETE /api/r${n}/notes/:id',
  { access: owns(Note, 'owner'), params: ById, output: noContent, limit: 'write' },
  () => undefined,
)`,
  (n) => `export const status${n} = route(
  'GET /api/r${n}/status',
  { access: open('Says nothing about anyone.'), output: z.strictObject({ ok${n}: z.boolean() }), limit: 'read' },
  () => ({ ok${n}: true }),
)`,
]

/** The text of an application with this many routes, of five kinds in turn. */
export function imaginedApplication(routeCount: number): string {
  const routes = Array.from({ length: routeCount }, (_, n) => shapes[n % shapes.length]?.(n) ?? '')
  return [vocabulary, ...routes, ''].join('\n')
}
