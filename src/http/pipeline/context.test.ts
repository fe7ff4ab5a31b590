import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { resource, type Scope } from '../../data/index.ts'
import type { SecurityEvent } from '../../events/index.ts'
import { Delays, per } from '../../limits/index.ts'
import { examineRoute, type Principal, type Route, recordOf, words } from '../../route/index.ts'
import { type Admitted, answer } from './answer.ts'
import { prepareRoute } from './prepare.ts'
import type { PipelineServices } from './services.ts'

const Row = z.strictObject({ id: z.string().max(40), ownerId: z.string().max(40) })
const Params = z.strictObject({ id: z.string().max(40) })
const output = z.strictObject({ ok: z.boolean() })
const ann: Principal = {
  id: 'ann',
  roles: ['editor'],
  session: { id: 's1', authTimeSeconds: 1, methods: ['pwd'], transport: 'bearer' },
}
const row = { id: 'r1', ownerId: 'ann' }

function database(): Kysely<never> {
  return new Kysely<never>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}

/** Services that note what is asked of them. */
function watched() {
  const asked: string[] = []
  const emitted: SecurityEvent[] = []
  const scopes: Scope[] = []
  const within = database()
  const nothing = (): never => {
    throw new TypeError('nobody asks for this')
  }
  const services: PipelineServices = {
    limiterFor: nothing,
    delays: new Delays(0),
    accountBannedForMs: () => undefined,
    responses: { slowsDown: () => false, slowedByMs: () => 0, stepUpSinceMs: () => undefined },
    identify: () => null,
    once: nothing,
    scoped: (scope) => {
      asked.push('scoped')
      scopes.push(scope)
      return database()
    },
    transaction: async (scope, run) => {
      asked.push('transaction')
      scopes.push(scope)
      return await run(within)
    },
    pager: (route, userId) => {
      asked.push(`pager ${route} ${userId}`)
      return async () => ({ items: [], nextCursor: null })
    },
    loadRow: () => row,
    emit: (event) => void emitted.push(event),
    refusedRow: () => undefined,
  }
  return { asked, emitted, scopes, within, services }
}

type Given = Readonly<Record<string, unknown>>
type Handler = (context: Given) => unknown

/** Answers a request to a route whose address names a row of the resource of this name. */
async function answered(name: string, handler: Handler, world = watched(), user: Principal | null = ann) {
  const Thing = resource(name, 'things', { row: Row, owner: 'ownerId', server: { id: 'uuid' } })
  const { route, owns, open, vocabulary } = words({
    resources: [Thing],
    roles: ['editor'],
    limits: { read: per('hour', 9) },
  })
  const handle = async (context: object) => {
    // What the compiler says of a context is not what this is about.
    await handler(context as Given)
    return { ok: true }
  }
  const made: Route =
    user === null
      ? route('GET /things', { access: open('Answers the same to all.'), output, limit: 'read' }, handle)
      : route('GET /things/:id', { access: owns(Thing), params: Params, output, limit: 'read' }, handle)
  const record = recordOf(made)
  const examined = record === undefined ? undefined : examineRoute(record, vocabulary)
  if (examined?.route === undefined) throw new TypeError(JSON.stringify(examined?.violations))
  const prepared = prepareRoute(examined.route)
  const request: Admitted = {
    id: 'request-1',
    clientAddress: '192.0.2.1',
    decision:
      user === null
        ? { kind: 'open' }
        : { kind: 'known', user, owned: { resource: Thing, action: 'read' }, lifted: false },
    params: user === null ? {} : { id: 'r1' },
    query: {},
    body: undefined,
    hasBody: false,
    headers: {},
    exchange: undefined,
  }
  return await answer(prepared, request, world.services)
}

const tools = ['db', 'transaction', 'page', 'requestId', 'emit']

describe('what a handler is given', () => {
  it('can be taken apart, or asked for by name', async () => {
    const world = watched()
    await answered(
      'thing',
      ({ db, transaction, page, requestId, emit, user, params, thing }) => {
        expect(db).toBeInstanceOf(Kysely)
        for (const tool of [transaction, page, emit]) expect(tool).toBeTypeOf('function')
        expect([requestId, user, params, thing]).toEqual(['request-1', ann, { id: 'r1' }, row])
      },
      world,
    )
    await answered('thing', (context) => {
      expect(context['db']).toBeInstanceOf(Kysely)
      expect(context['db']).toBe(context['db'])
      expect(context['requestId']).toBe('request-1')
    })
  })

  it('is made when it is asked for, and not before', async () => {
    const world = watched()
    await answered('thing', () => undefined, world)
    expect(world.asked).toEqual([])
    await answered('thing', (context) => void [context['db'], context['db']], world)
    expect(world.asked).toEqual(['scoped'])
  })

  it('V8.2.2 is limited to the caller whenever it is asked for: also later', async () => {
    const world = watched()
    await answered(
      'thing',
      async (context) => {
        await new Promise((resolve) => setImmediate(resolve))
        expect(context['db']).toBeInstanceOf(Kysely)
        expect(context['page']).toBeTypeOf('function')
      },
      world,
    )
    expect(world.asked).toEqual(['scoped', 'pager GET /things/:id ann'])
    expect(world.scopes).toEqual([{ userId: 'ann', tenantId: null, roles: ['editor'], lifted: new Map() }])
  })

  it('V8.2.2 is nobody’s on an open route', async () => {
    const world = watched()
    await answered(
      'thing',
      ({ db, page, user, thing }) => {
        expect([db, page].every((one) => one !== undefined)).toBe(true)
        expect([user, thing]).toEqual([undefined, undefined])
      },
      world,
      null,
    )
    expect(world.scopes).toEqual([{ userId: null, tenantId: null, roles: [], lifted: new Map() }])
    expect(world.asked.at(-1)).toBe('pager GET /things null')
  })

  it('has a transaction in the same scope', async () => {
    const world = watched()
    await answered(
      'thing',
      async ({ transaction }) => {
        if (typeof transaction !== 'function') throw new TypeError('a transaction is a function')
        await transaction((db: unknown) => Promise.resolve(expect(db).toBe(world.within)))
      },
      world,
    )
    expect(world.asked).toEqual(['transaction'])
    expect(world.scopes[0]).toMatchObject({ userId: 'ann' })
  })

  it.each(tools)('V8.2.2 is the tool, never a row whose resource is called %s', async (name) => {
    await answered(name, (context) => {
      expect(context[name]).not.toEqual(row)
      expect(context[name]).toBeDefined()
      expect(context['params']).toEqual({ id: 'r1' })
    })
  })

  it.each(['user', 'note', 'things', 'toString', 'constructor', 'hasOwnProperty'])(
    'is the row of a resource that is called %s',
    async (name) => {
      await answered(name, (context) => {
        expect(context[name]).toEqual(row)
        expect(context['db']).toBeInstanceOf(Kysely)
      })
    },
  )

  it('cannot be changed into somebody else’s: its tools have no other value', async () => {
    await answered('thing', (context) => {
      for (const tool of tools)
        expect(() => Object.assign(context, { [tool]: 'mine' }), tool).toThrow(TypeError)
    })
  })
})

describe('V16.2.1 what a handler emits', () => {
  const emit: Handler = (context) => {
    const { emit: say } = context
    if (typeof say !== 'function') throw new TypeError('emit is a function')
    const lie = { address: '198.51.100.1', route: 'GET /', requestId: 'mine', sessionId: 'mine' }
    say({ event: 'app_looked', details: { rows: 1 }, ...lie })
    say({ event: 'app_looked', userId: 'ben' })
  }
  const where = { address: '192.0.2.1', requestId: 'request-1' }

  it('says who, where and for what, whatever the handler says of it', async () => {
    const world = watched()
    await answered('thing', emit, world)
    expect(world.emitted).toEqual([
      expect.objectContaining({
        ...where,
        event: 'app_looked',
        route: 'GET /things/:id',
        userId: 'ann',
        details: { rows: 1 },
      }),
      expect.objectContaining({ ...where, route: 'GET /things/:id', userId: 'ben', sessionId: 's1' }),
    ])
  })

  it('says that nobody is known where nobody is', async () => {
    const world = watched()
    await answered('thing', emit, world, null)
    expect(world.emitted[0]).toMatchObject({ ...where, route: 'GET /things', userId: null })
  })
})
