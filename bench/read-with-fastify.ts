import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import Fastify from 'fastify'

// The same read with nothing around it: Fastify, one prepared statement, a token that is compared.

const id = '0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e4f'
const token = 'a-token-of-about-the-length-of-one-of-the-development-tokens'
const now = new Date().toISOString()

const database = new DatabaseSync(join(process.env['HOLDFAST_DATA_DIR'] ?? '.', 'bare.sqlite'))
database.exec('PRAGMA journal_mode = WAL')
database.exec(
  'CREATE TABLE notes (id TEXT PRIMARY KEY, ownerId TEXT, title TEXT, body TEXT, createdAt TEXT, updatedAt TEXT)',
)
database
  .prepare('INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?)')
  .run(id, 'ann', 'Shopping', 'Bread, tea, lemons.', now, now)
const find = database.prepare('SELECT * FROM notes WHERE id = ? AND ownerId = ?')

const fastify = Fastify()
fastify.get<{ Params: { id: string } }>('/api/notes/:id', (request, reply) => {
  if (request.headers.authorization !== `Bearer ${token}`) return reply.code(401).send()
  const note = find.get(request.params.id, 'ann')
  return note ?? reply.code(404).send()
})
const address = await fastify.listen({ host: '127.0.0.1', port: 0 })
process.once('SIGTERM', () => void fastify.close().then(() => process.exit(0)))
console.log(`${address}/api/notes/${id} ${token}`)
