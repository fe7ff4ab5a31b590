import { createApp, per, words } from 'holdfast'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { memberOf } from '../kit/client.ts'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'

const { route, open, vocabulary } = words({ resources: [], roles: [], limits: { many: per('hour', 1_000) } })
const access = open('Answers the same to everybody.')
const output = z.strictObject({ seen: z.string().max(100) })

const Word = z.strictObject({ word: z.string().max(20) })
const standard = Word['~standard']
type Result = Awaited<ReturnType<typeof standard.validate>>

/** What a schema says that looks a word up somewhere. */
function said(value: unknown): Result | Promise<Result> {
  const word = memberOf(value, 'word')
  if (word === 'broken') throw new TypeError('secret: nothing answers')
  if (word === 'wrong') return { issues: [{ message: 'is wrong', path: ['word'] }] }
  return standard.validate(value)
}

/** Says it at once. */
const Known = { '~standard': { ...standard, validate: said } }
/** Says it after some turns of the event loop. */
const after = (turnCount: number) => ({
  '~standard': {
    ...standard,
    async validate(value: unknown): Promise<Result> {
      for (let turn = 0; turn < turnCount; turn++) await new Promise((resolve) => setImmediate(resolve))
      return await said(value)
    },
  },
})

const kinds = {
  'all late': [after(5), after(3), after(1)],
  'the body at once': [after(2), after(1), Known],
  'the query at once': [after(1), Known, after(2)],
  'only the body late': [Known, Known, after(1)],
} as const
const routes = Object.values(kinds).map(([params, query, body], at) =>
  route(
    `POST /kind${at}/:word`,
    { access, params, query, body, output, limit: 'many' },
    ({ params: first, query: second, body: third }) => ({
      seen: `${first.word} ${second.word} ${third.word}`,
    }),
  ),
)

const unhandled: unknown[] = []
const note = (why: unknown): void => void unhandled.push(why)

describe.each(Object.keys(kinds).map((kind, at) => [kind, at] as const))(
  'V2.2.1 input that has to be looked up: %s',
  (_kind, at) => {
    let server: NotesServer
    beforeAll(async () => {
      process.on('unhandledRejection', note)
      server = await startNotes(createApp({ title: 'Async', vocabulary, routes }))
    })
    afterAll(async () => {
      process.off('unhandledRejection', note)
      await server.stop()
    })
    beforeEach(() => void unhandled.splice(0))
    afterEach(() => expect(unhandled).toEqual([]))

    const ask = (a: string, b: string, c: string) =>
      server.ask('POST', `/kind${at}/${a}?word=${b}`, { body: { word: c } })

    it('is taken when all of it is right', async () => {
      const reply = await ask('x', 'y', 'z')
      expect([reply.status, reply.json]).toEqual([201, { seen: 'x y z' }])
    })

    it('is refused with everything that is wrong, in the order of the request', async () => {
      for (const a of ['right', 'wrong'])
        for (const b of ['right', 'wrong'])
          for (const c of ['right', 'wrong']) {
            const reply = await ask(a, b, c)
            const wrong = [a, b, c].flatMap((word, index) => (word === 'wrong' ? [index] : []))
            expect(reply.status).toBe(wrong.length === 0 ? 201 : 400)
            if (wrong.length === 0) continue
            const errors = memberOf(reply.json, 'errors')
            const paths = Array.isArray(errors) ? errors.map((error) => memberOf(error, 'path')) : []
            expect(paths).toEqual(wrong.map((index) => ['/params/word', '/query/word', '/body/word'][index]))
          }
    })

    it.each([
      ['broken', 'right', 'right'],
      ['right', 'broken', 'right'],
      ['right', 'right', 'broken'],
      ['broken', 'broken', 'broken'],
      ['broken', 'wrong', 'broken'],
      ['wrong', 'broken', 'broken'],
    ])('V16.5.3 is a 500 where a look fails, and ends no process: %s %s %s', async (a, b, c) => {
      const reply = await ask(a, b, c)
      expect(reply.status).toBe(500)
      expect(reply.content).not.toContain('secret')
      // Whatever was still under way has come to its end.
      expect((await ask('x', 'y', 'z')).status).toBe(201)
    })
  },
)
