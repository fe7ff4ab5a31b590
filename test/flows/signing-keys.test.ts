import { expect, it } from 'vitest'
import notes from '../../examples/notes/app.ts'
import { enter } from '../kit/accounts.ts'
import { memberOf } from '../kit/client.ts'
import { engineKinds } from '../kit/databases.ts'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'

async function kids(server: NotesServer): Promise<readonly string[]> {
  const { json } = await server.ask('GET', '/.well-known/jwks.json')
  const keys = memberOf(json, 'keys')
  return Array.isArray(keys) ? keys.map((key) => String(memberOf(key, 'kid'))) : []
}

it.each(engineKinds)(
  'V11.2.2 keys rotate renews what signs tokens, with overlap or at once, on %s',
  async (engine) => {
    const first = await startNotes(undefined, engine, null)
    const ann = await enter(first, 'ann@example.com')
    const before = await kids(first)
    const { settings } = first.server
    const place = {
      NODE_ENV: 'test',
      PORT: '0',
      PUBLIC_ORIGIN: first.address,
      HOLDFAST_DATA_DIR: settings.dataDir,
      ...(settings.database.kind === 'postgres' ? { DATABASE_URL: settings.database.url.reveal() } : {}),
    }
    const report = await notes.keys({ environment: place, action: 'rotate' })
    expect(report).toMatchObject({ action: 'rotate', signing: { isCompromised: false } })
    const second = await startNotes(notes, 'sqlite', null, place)
    // Published before it signs; the token of before still works.
    expect(await kids(second)).toEqual([expect.any(String), ...before])
    expect((await second.ask('GET', '/api/users/me', { headers: ann.as })).status).toBe(200)
    await second.server.stop()
    await notes.keys({ environment: place, action: 'rotate', isCompromised: true })
    const third = await startNotes(notes, 'sqlite', null, place)
    expect(await kids(third)).toHaveLength(1)
    expect((await third.ask('GET', '/api/users/me', { headers: ann.as })).status).toBe(401)
    await third.server.stop()
    await first.stop()
  },
)
