import type { FastifyInstance } from 'fastify'
import { adopt, createApp, per, words } from 'holdfast'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { memberOf } from '../kit/client.ts'
import { startNotes } from '../kit/notes-server.ts'

const { route, open, vocabulary } = words({ resources: [], roles: [], limits: { many: per('hour', 100) } })
const access = open('Answers the same to everybody.')
const output = z.strictObject({ ok: z.boolean() })
const own = route('GET /own', { access, output, limit: 'many' }, () => ({ ok: true }))

const pages = adopt(
  'Pages whose lines would bury the others.',
  async (fastify: FastifyInstance) => {
    fastify.get('/quiet', { logLevel: 'warn' }, async () => ({ ok: true }))
    fastify.get('/talkative', async () => ({ ok: true }))
  },
  { access, limit: 'many' },
)

it('V16.2.1 a plugin’s route keeps the level that it asks for, and every other has its line', async () => {
  const notes = await startNotes(createApp({ title: 'Logs', vocabulary, routes: [own], plugins: [pages] }))
  for (const path of ['/own', '/quiet', '/talkative', '/quiet', '/own'])
    expect((await notes.ask('GET', path)).status).toBe(200)
  const routes = () =>
    notes.lines
      .map((line): unknown => JSON.parse(line))
      .filter((line) => memberOf(line, 'msg') === 'request completed')
      .map((line) => memberOf(line, 'route'))
  await expect.poll(routes, { timeout: 5_000 }).toEqual(['/own', '/talkative', '/own'])
  await notes.stop()
})
