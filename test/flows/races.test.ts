import { createApp } from 'holdfast'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { migrations } from '../../examples/notes/migrations.ts'
import { changeNote, createNote, deleteNote, readNote } from '../../examples/notes/notes.ts'
import { vocabulary } from '../../examples/notes/words.ts'
import { recordOf } from '../../src/route/index.ts'
import { type RouteRecord, routeOf } from '../../src/route/route.ts'
import { engineKinds } from '../kit/databases.ts'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'

describe.each(engineKinds)('on %s', (engine) => {
  // Requests that came one after the other would all be refused by the check before the handler. Here they wait until
  // every one of them has passed that check, so that only the change itself can notice the others.
  const racerCount = 4
  let arrivedCount: number
  let gate: PromiseWithResolvers<void>
  let notes: NotesServer

  function waiting(record: RouteRecord): RouteRecord {
    return {
      ...record,
      handler: async (context: never) => {
        if (++arrivedCount === racerCount) gate.resolve()
        await gate.promise
        return await record.handler(context)
      },
    }
  }

  beforeEach(async () => {
    arrivedCount = 0
    gate = Promise.withResolvers()
    const racing = [changeNote, deleteNote].flatMap((route) => {
      const record = recordOf(route)
      return record === undefined ? [] : [routeOf(waiting(record))]
    })
    const routes = [createNote, readNote, ...racing]
    notes = await startNotes(createApp({ title: 'Notes', vocabulary, routes, migrations }), engine)
  })
  afterEach(() => notes.stop())

  /** The statuses of requests that have all read the row before the first one changes it. */
  async function race(method: string, headers: Readonly<Record<string, string>>): Promise<readonly number[]> {
    const ann = notes.person('ann')
    const path = `/api/notes/${await ann.note('first')}`
    const racers = Array.from({ length: racerCount }, (_, index) => {
      const body = method === 'PATCH' ? { body: { title: `writer ${index}` } } : {}
      return ann.ask(method, path, { ...body, headers })
    })
    const replies = await Promise.all(racers)
    expect(arrivedCount).toBe(racerCount)
    return replies.map(({ status }) => status).sort()
  }

  it('V15.4.2 lets one change with If-Match win after all have read the row', async () => {
    expect(await race('PATCH', { 'if-match': '"1"' })).toEqual([200, 412, 412, 412])
  })

  it('V15.4.2 lets one deletion with If-Match win after all have read the row', async () => {
    expect(await race('DELETE', { 'if-match': '"1"' })).toEqual([204, 412, 412, 412])
  })

  it('V15.4.2 answers 404 to a deletion that another one without If-Match has overtaken', async () => {
    expect(await race('DELETE', {})).toEqual([204, 404, 404, 404])
  })
})
