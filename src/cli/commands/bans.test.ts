import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Ended, holdfast } from '../../../test/kit/command-line.ts'
import { startNotes } from '../../../test/kit/notes-server.ts'

// The real command, as a process of its own, on the data of the example.

const app = fileURLToPath(new URL('../../../examples/notes/app.ts', import.meta.url))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-bans-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function bans(words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const environment = { NODE_ENV: 'test', HOLDFAST_DATA_DIR: folder, ...more }
  return holdfast(['bans', ...words, '--app', app], { environment })
}

describe('holdfast bans', { timeout: 60_000 }, () => {
  it('V2.4.1 bans, lists and lifts; what was done is an event on standard error', async () => {
    expect((await bans([])).out).toBe('Nobody is banned.\n')
    const added = await bans(['add', '203.0.113.9', '--for', '1h', '--reason', 'scans for backups'])
    expect(added.code).toBe(0)
    expect(added.out).toMatch(
      /^203\.0\.113\.9 is banned until \d{4}-\d\d-\d\d \d\d:\d\d UTC: [0-9a-f-]{36}\n$/,
    )
    expect(JSON.parse(added.err)).toMatchObject({
      event: 'authz_change',
      details: { to: 'banned', target: '203.0.113.9' },
    })
    const account = ['add', '--account', 'ann', '--reason', 'spam', '--json']
    expect(JSON.parse((await bans(account)).out)).toMatchObject({ kind: 'account', expiresAt: null })
    const listed = (await bans(['list'])).out
    expect(listed).toMatch(/account ann +lifted by hand +manual +spam\n.* 203\.0\.113\.9 /)
    expect((await bans(['lift', '203.0.113.9'])).out).toBe('203.0.113.9 is not banned any more.\n')
    expect((await bans(['lift', '203.0.113.9'])).code).toBe(1)
    expect((await bans(['lift', '--account', 'ann'])).code).toBe(0)
    expect((await bans(['list', '--json'])).out).toBe('')
    const all = (await bans(['list', '--all', '--json'])).out.trim().split('\n')
    expect(all.map((line) => Reflect.get(JSON.parse(line), 'target'))).toEqual(['ann', '203.0.113.9'])
  })

  it('V2.4.1 acts on a server that runs', async () => {
    const environment = { HOLDFAST_DATA_DIR: folder, TRUSTED_PROXIES: '127.0.0.1' }
    const running = await startNotes(undefined, 'sqlite', undefined, environment)
    const status = async () =>
      (await running.ask('GET', '/health/live', { headers: { 'x-forwarded-for': '2001:db8::1' } })).status
    expect(await status()).toBe(200)
    expect((await bans(['add', '2001:db8::99', '--for', '10m', '--reason', 'x'])).code).toBe(0)
    await expect.poll(status, { timeout: 1_000, interval: 20 }).toBe(429)
    expect((await bans(['lift', '2001:db8::/64'])).code).toBe(0)
    await expect.poll(status, { timeout: 1_000, interval: 20 }).toBe(200)
    await running.stop()
  })

  it('V15.3.4 V8.2.4 refuses proxies and the allow list with 1, and says which', async () => {
    const environment = { TRUSTED_PROXIES: '10.0.0.0/8', NEVER_BANNED: '198.51.100.7' }
    const proxy = await bans(['add', '10.1.2.3', '--reason', 'x'], environment)
    expect(proxy).toMatchObject({ code: 1, out: '' })
    expect(proxy.err).toContain('trusted proxy 10.0.0.0/8')
    const allowed = await bans(['add', '198.51.100.7', '--reason', 'x'], environment)
    expect(allowed).toMatchObject({ code: 1, out: '' })
    expect(allowed.err).toContain('NEVER_BANNED')
    const wide = await bans(['add', '0.0.0.0/0', '--reason', 'x'])
    expect(wide).toMatchObject({ code: 1, out: '' })
  })

  const misused = [
    { words: ['ad'], says: 'bans has no "ad". Did you mean add?' },
    { words: ['add', '--reason', 'x'], says: 'takes an address, or --account ID' },
    { words: ['add', '203.0.113.9', '--account', 'ann', '--reason', 'x'], says: 'takes an address, or' },
    { words: ['add', '203.0.113.9'], says: '--reason TEXT' },
    { words: ['add', '203.0.113.9', '--reason', 'x', '--for', '1 week'], says: '--for takes a time' },
    { words: ['add', '203.0.113.9', '--reason', 'x', '--for', '0s'], says: '--for takes a time' },
    { words: ['add', '203.0.113.256', '--reason', 'x'], says: 'no IP address' },
    { words: ['add', '203.0.113.9/33', '--reason', 'x'], says: 'no CIDR range' },
    { words: ['add', '203.0.113.9', '--reason', 'a\u001b[31m'], says: 'A ban needs a reason' },
    { words: ['lift', 'ann'], says: 'no IP address' },
    { words: ['list', '203.0.113.9'], says: 'takes nothing more' },
    { words: ['list', '--for', '1h'], says: '--for goes with add.' },
    { words: ['add', '203.0.113.9', '--all', '--reason', 'x'], says: '--all goes with list.' },
  ]
  it('V2.2.1 exits with 2 for a call that cannot be understood', async () => {
    const ended = await Promise.all(misused.map(async (one) => ({ ...one, ...(await bans(one.words)) })))
    for (const { words, says, code, out, err } of ended) {
      expect({ words, code, out }).toEqual({ words, code: 2, out: '' })
      expect(err).toContain(says)
      expect(err).not.toContain('\u001b')
    }
  })
})
