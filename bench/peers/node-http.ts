import { createServer } from 'node:http'
import { itemsOf, ownerId, serve } from './shared.ts'

// Node's own server and nothing around it: finds the item, leaves out what is not shown, answers.

const items = itemsOf(ownerId)
const prefix = '/api/items/'

const server = createServer((request, response) => {
  const url = request.url ?? ''
  const item = url.startsWith(prefix) ? items.get(url.slice(prefix.length)) : undefined
  if (item === undefined) {
    response.writeHead(404, { 'content-length': 0 }).end()
    return
  }
  const { id, ownerId, title, body, createdAt, updatedAt } = item
  const text = JSON.stringify({ id, ownerId, title, body, createdAt, updatedAt })
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
})
serve(server, 'EdDSA')
