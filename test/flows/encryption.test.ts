import { createApp, type Migration, per, resource, words } from 'holdfast'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { engineKinds } from '../kit/databases.ts'
import { type NotesServer, type Person, startNotes } from '../kit/notes-server.ts'

const text = z.string().max(200)
const Row = z.strictObject({
  id: z.uuid(),
  ownerId: z.uuid(),
  name: text,
  email: text,
  pin: text,
  ward: text,
})
const Patient = resource('patient', 'patients', {
  row: Row,
  owner: 'ownerId',
  server: { id: 'uuid' },
  encrypted: ['name', 'email', 'pin'],
  lookup: { email: 'emailIndex' },
  secret: ['pin'],
  writeOnce: ['ward'],
})
const View = Row.omit({ pin: true, ownerId: true })
const Draft = Row.omit({ id: true, ownerId: true })
const { route, signedIn, owns, vocabulary } = words({
  resources: [Patient],
  roles: ['admin'],
  limits: { many: per('minute', 10_000) },
})
const migrations: readonly Migration[] = [
  {
    name: '0001-patients',
    async up(db) {
      let table = db.schema.createTable('patients').addColumn('id', 'text', (column) => column.primaryKey())
      for (const column of ['ownerId', 'name', 'email', 'emailIndex', 'pin', 'ward'])
        table = table.addColumn(column, 'text')
      await table.execute()
    },
  },
]
const ById = z.strictObject({ id: z.uuid() })

const app = createApp({
  title: 'Patients',
  version: '1.0.0',
  vocabulary,
  migrations,
  routes: [
    route(
      'POST /patients',
      { access: signedIn(), body: Draft, output: View, limit: 'many' },
      ({ db, body }) => db.insertInto('patients').values(body).returningAll().executeTakeFirstOrThrow(),
    ),
    route(
      'GET /patients/:id',
      { access: owns(Patient), params: ById, output: View, limit: 'many' },
      ({ patient }) => patient,
    ),
    route(
      'PATCH /patients/:id',
      {
        access: owns(Patient),
        params: ById,
        body: Row.pick({ name: true, email: true }),
        output: View,
        limit: 'many',
      },
      ({ db, patient, body }) =>
        db
          .updateTable('patients')
          .set(body)
          .where('id', '=', patient.id)
          .returningAll()
          .executeTakeFirstOrThrow(),
    ),
    route(
      'GET /patients',
      {
        access: signedIn(),
        query: z.strictObject({ email: text }),
        output: z.array(View).max(100),
        limit: 'many',
      },
      ({ db, query }) =>
        db.selectFrom('patients').selectAll().where('email', '=', query.email).limit(100).execute(),
    ),
    route(
      'GET /pins/:id',
      { access: owns(Patient), params: ById, output: z.strictObject({ fits: z.boolean() }), limit: 'many' },
      ({ patient }) => ({
        fits:
          patient.pin.reveal() === 'pin 47.11' &&
          `${patient.pin}` === '[secret]' &&
          !('emailIndex' in patient),
      }),
    ),
  ],
})

describe.each(engineKinds)('encrypted columns on %s', (engine) => {
  let server: NotesServer
  let ann: Person
  let ben: Person
  const ada = { name: 'Ada Lovelace', email: 'ada@example.com', pin: 'pin 47.11', ward: 'north' }
  let id: string

  beforeAll(async () => {
    server = await startNotes(app, engine)
    ann = server.person('ann')
    ben = server.person('ben')
    const made = await ann.ask('POST', '/patients', { body: ada })
    expect(made.json).toMatchObject({ name: ada.name, email: ada.email, ward: 'north' })
    id = made.text('id')
  })
  afterAll(() => server.stop())

  const stored = () =>
    server.server.unscoped('a test looks at what is stored').selectFrom('patients').selectAll().execute()

  it('V14.2.6 V11.3.2 come plain to whoever has the row, and stand sealed in the database', async () => {
    const read = await ann.ask('GET', `/patients/${id}`)
    expect(read.json).toEqual({ id, name: ada.name, email: ada.email, ward: 'north' })
    expect((await ben.ask('GET', `/patients/${id}`)).status).toBe(404)
    const [row] = await stored()
    expect(row).toMatchObject({ id, ward: 'north' })
    for (const column of ['name', 'email', 'pin'])
      expect(row?.[column]).toMatch(/^hf1\.[a-z0-9]{8}\.[A-Za-z0-9_-]+$/)
    expect(JSON.stringify(row)).not.toMatch(/Ada Love|ada@example|pin 47/)
  })

  it('can be found by equality where they have a blind index, by their owner alone', async () => {
    const found = await ann.ask('GET', '/patients?email=ada%40example.com')
    expect(found.json).toEqual([{ id, name: ada.name, email: ada.email, ward: 'north' }])
    expect((await ann.ask('GET', '/patients?email=ADA%40example.com')).json).toEqual([])
    expect((await ben.ask('GET', '/patients?email=ada%40example.com')).json).toEqual([])
  })

  it('change by the key of their row, blind index and all', async () => {
    const changed = await ann.ask('PATCH', `/patients/${id}`, {
      body: { name: 'Ada King', email: 'king@example.com' },
    })
    expect(changed.json).toMatchObject({ name: 'Ada King' })
    expect((await ann.ask('GET', '/patients?email=king%40example.com')).content).toContain('Ada King')
    expect((await ann.ask('GET', '/patients?email=ada%40example.com')).json).toEqual([])
  })

  it('V14.2.6 give a secret to the code and to nobody else', async () => {
    expect((await ann.ask('GET', `/pins/${id}`)).json).toEqual({ fits: true })
    expect(server.lines.join('')).not.toMatch(/pin 47|Lovelace|ada@example/)
  })

  it('V11.3.3 do not open in another row', async () => {
    const other = (await ann.ask('POST', '/patients', { body: { ...ada, name: 'Other' } })).text('id')
    const [first] = (await stored()).filter((row) => row['id'] === id)
    const db = server.server.unscoped('a test moves a ciphertext')
    await db
      .updateTable('patients')
      .set({ name: String(first?.['name']) })
      .where('id', '=', other)
      .execute()
    const read = await ann.ask('GET', `/patients/${other}`)
    expect(read.status).toBe(500)
    expect(read.content).not.toContain('Ada')
    expect((await ann.ask('GET', `/patients/${id}`)).status).toBe(200)
  })
})
