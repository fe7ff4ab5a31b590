import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import Fastify from 'fastify'
import { introduce, itemsOf, ownerId, paths, stopWith, tokensFor } from './shared.ts'

// Fastify with a declared answer and nothing else: no control, no log. Once from memory and once from SQLite.

const items = itemsOf(ownerId)
const database = new DatabaseSync(join(process.env['HOLDFAST_DATA_DIR'] ?? '.', 'bare.sqlite'))
database.exec('PRAGMA journal_mode = WAL')
database.exec(
  'CREATE TABLE notes (id TEXT PRIMARY KEY, ownerId TEXT, title TEXT, body TEXT, createdAt TEXT, updatedAt TEXT, secret TEXT)',
)
const insert = database.prepare('INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?, ?)')
for (const row of items.values())
  insert.run(row.id, row.ownerId, row.title, row.body, row.createdAt, row.updatedAt, row.secret)
const find = database.prepare('SELECT * FROM notes WHERE id = ? AND ownerId = ?')

const text = { type: 'string' }
const schema = {
  response: {
    200: {
      type: 'object',
      properties: { id: text, ownerId: text, title: text, body: text, createdAt: text, updatedAt: text },
    },
  },
}

interface ById {
  Params: { id: string }
}

const fastify = Fastify()
fastify.get<ById>('/api/items/:id', { schema }, (request, reply) => {
  const item = items.get(request.params.id)
  if (item === undefined) return reply.code(404).send()
  return reply.send(item)
})
fastify.get<ById>('/api/notes/:id', { schema }, (request, reply) => {
  const note = find.get(request.params.id, ownerId)
  if (note === undefined) return reply.code(404).send()
  return reply.send(note)
})
const address = await fastify.listen({ host: '127.0.0.1', port: 0 })
introduce(address, tokensFor('EdDSA'), { note: paths.read.replace('items', 'notes') })
stopWith(() => fastify.close())
