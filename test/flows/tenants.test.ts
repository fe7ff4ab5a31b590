import { anyCaller, createApp, type Migration, per, resource, testToken, words } from 'holdfast'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { askWith } from '../kit/client.ts'
import { engineKinds } from '../kit/databases.ts'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'

const text = z.string().max(100)
const Row = z.strictObject({ id: z.uuid(), ownerId: z.uuid(), companyId: text, name: text })
const Room = resource('room', 'rooms', {
  row: Row,
  owner: 'ownerId',
  tenant: 'companyId',
  server: { id: 'uuid' },
  read: anyCaller('Everyone in a company sees its rooms.'),
})
const { route, signedIn, owns, role, vocabulary } = words({
  resources: [Room],
  roles: ['admin'],
  limits: { many: per('minute', 10_000) },
})
const migrations: readonly Migration[] = [
  {
    name: '0001-rooms',
    async up(db) {
      let table = db.schema.createTable('rooms').addColumn('id', 'text', (column) => column.primaryKey())
      for (const column of ['ownerId', 'companyId', 'name']) table = table.addColumn(column, 'text')
      await table.execute()
    },
  },
]
const app = createApp({
  title: 'Rooms',
  vocabulary,
  migrations,
  routes: [
    route(
      'POST /rooms',
      { access: signedIn(), body: Row.pick({ name: true }), output: Row, limit: 'many' },
      ({ db, body }) => db.insertInto('rooms').values(body).returningAll().executeTakeFirstOrThrow(),
    ),
    route('GET /rooms', { access: signedIn(), output: z.array(Row).max(100), limit: 'many' }, ({ db }) =>
      db.selectFrom('rooms').selectAll().orderBy('id').limit(100).execute(),
    ),
    route(
      'GET /rooms/:id',
      {
        access: owns(Room).or(role('admin')),
        params: z.strictObject({ id: z.uuid() }),
        output: Row,
        limit: 'many',
      },
      ({ room }) => room,
    ),
  ],
})

describe.each(engineKinds)('V8.4.1 tenants on %s', (engine) => {
  let server: NotesServer
  const as = (name: string, tenantId: string | undefined, roles: readonly string[] = []) =>
    askWith(server.address, {
      authorization: `Bearer ${testToken(server.server.settings, { name, roles, tenantId })}`,
    })

  beforeAll(async () => {
    server = await startNotes(app, engine)
  })
  afterAll(() => server.stop())

  it('are walls that no rule, no role and no ownership reaches over', async () => {
    const made = await as('ann', 'acme')('POST', '/rooms', { body: { name: 'Blue' } })
    expect(made.json).toMatchObject({ companyId: 'acme', name: 'Blue' })
    const path = `/rooms/${made.text('id')}`
    expect((await as('ben', 'acme')('GET', path)).status).toBe(200)
    expect((await as('ann', 'evil')('GET', path)).status).toBe(404)
    expect((await as('root', 'evil', ['admin'])('GET', path)).status).toBe(404)
    expect((await as('root', undefined, ['admin'])('GET', path)).status).toBe(404)
    expect((await as('root', 'acme', ['admin'])('GET', path)).status).toBe(200)
    expect((await as('ann', 'evil')('GET', '/rooms')).json).toEqual([])
    expect((await as('ben', 'acme')('GET', '/rooms')).json).toHaveLength(1)
  })

  it('take no rows from callers who are in none, and none that name another', async () => {
    expect((await as('ann', undefined)('POST', '/rooms', { body: { name: 'x' } })).status).toBe(403)
    const named = await as('ann', 'acme')('POST', '/rooms', { body: { name: 'x', companyId: 'evil' } })
    expect(named.status).toBe(400)
  })
})
