import { expect, it } from 'vitest'
import { startNotes } from '../kit/notes-server.ts'

it('V16.5.3 V2.4.1 a page of another site cannot have its visitor banned; who scans is', async () => {
  const environment = { DETECTION: 'on', TRUSTED_PROXIES: '127.0.0.1' }
  const notes = await startNotes(undefined, 'sqlite', undefined, environment)
  const ask = async (path: string, from: string, more: Readonly<Record<string, string>> = {}) =>
    (await notes.ask('GET', path, { headers: { 'x-forwarded-for': from, ...more } })).status
  const paths = [
    '/.env',
    '/.git/config',
    '/wp-login.php',
    '/phpmyadmin/',
    '/api/notes?q=1%20UNION%20SELECT%201',
  ]
  const visitor = '203.0.113.90'
  for (let round = 0; round < 3; round += 1)
    for (const path of paths) await ask(path, visitor, { 'sec-fetch-site': 'cross-site' })
  const scanner = '203.0.113.91'
  for (const path of paths) await ask(path, scanner)
  await expect.poll(() => ask('/', scanner), { timeout: 15_000 }).toBe(429)
  expect(await ask('/', visitor)).toBe(200)
  const { items } = await notes.server.bans.list()
  expect(items.map(({ target }) => target)).toEqual([scanner])
  await notes.stop()
})
