import {
  type App,
  adopt,
  BootError,
  createApp,
  type Plugin,
  per,
  type Route,
  testToken,
  words as wordsOf,
} from 'holdfast'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { migrations } from '../../examples/notes/migrations.ts'
import * as noteRoutes from '../../examples/notes/notes.ts'
import * as shareRoutes from '../../examples/notes/shares.ts'
import { vocabulary } from '../../examples/notes/words.ts'

import { recordOf } from '../../src/route/index.ts'
import { type RouteRecord, routeOf } from '../../src/route/route.ts'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'

const routes: readonly Route[] = [...Object.values(noteRoutes), ...Object.values(shareRoutes)]
const records: readonly RouteRecord[] = routes.flatMap((route) => recordOf(route) ?? [])

async function refusal(app: App): Promise<BootError> {
  const outcome: unknown = await app.plan().then(
    () => 'it boots',
    (error: unknown) => error,
  )
  expect(outcome).toBeInstanceOf(BootError)
  return outcome instanceof BootError ? outcome : new BootError([])
}

describe('a route that lacks a member', () => {
  /** What the report says to write for each member. */
  const fixes: Readonly<Record<string, RegExp>> = {
    access: /access: signedIn\(\)/,
    limit: /limit: 'read' or limit: 'write'/,
    output: /output: z\.strictObject\(\{ … \}\)/,
    params: /params: z\.strictObject\(\{ id: z\.uuid\(\)/,
    query: /query: z\.strictObject\(\{ … \}\)/,
    body: /body: z\.strictObject\(\{ … \}\)/,
  }

  it('V8.2.1 boots while it lacks none', async () => {
    expect(records).toHaveLength(routes.length)
    const plan = await createApp({ title: 'Notes', vocabulary, routes, migrations }).plan()
    expect(plan.routes.filter(({ origin }) => origin === 'application')).toHaveLength(records.length)
  })

  for (const record of records) {
    // What a route may do without: it then takes no key, and each request costs one.
    for (const member of Object.keys(record.spec).filter((name) => !['idempotency', 'cost'].includes(name))) {
      it(`V8.2.1 does not boot: ${record.address} without ${member}`, async () => {
        const spec = Object.fromEntries(Object.entries(record.spec).filter(([name]) => name !== member))
        const reduced = routes.map((route) =>
          recordOf(route) === record ? routeOf({ ...record, spec }) : route,
        )
        const { violations, report } = await refusal(
          createApp({ title: 'Notes', vocabulary, routes: reduced }),
        )
        expect(new Set(violations.map(({ subject }) => subject))).toEqual(new Set([record.address]))
        expect(report).toContain(record.address)
        expect(report).toMatch(/\(examples\/notes\/(notes|shares)\.ts:\d+\)/)
        expect(report).toMatch(fixes[member] ?? /never/)
      })
    }
  }
})

const plain: Plugin = async (fastify) => {
  fastify.get('/plugged', async () => 'plugged')
}
const configured: Plugin = async (fastify) => {
  fastify.get('/plugged', { config: { any: 'thing' } }, async () => 'plugged')
}
const nested: Plugin = async (fastify) => {
  await fastify.register(
    async (child) => {
      await child.register(plain, { prefix: '/deeper' })
    },
    { prefix: '/deep' },
  )
}
const late: Plugin = async (fastify) => {
  fastify.addHook('onReady', async () => {})
  fastify.after(() => {
    fastify.get('/late', async () => 'late')
  })
}
const wrapped: Plugin = Object.assign(
  async (...[fastify]: Parameters<Plugin>): Promise<void> => {
    fastify.get('/wrapped', async () => 'wrapped')
  },
  { [Symbol.for('skip-override')]: true },
)
const explicitHead: Plugin = async (fastify) => {
  fastify.head('/head', async () => '')
}
const explicitOptions: Plugin = async (fastify) => {
  fastify.options('/options', async () => 'options')
}
const wildcard: Plugin = async (fastify) => {
  fastify.all('/files/*', async () => 'files')
}
const twoMethods: Plugin = async (fastify) => {
  fastify.route({ method: ['GET', 'POST'], url: '/two', handler: async () => 'two' })
}
const disguised: Plugin = async (fastify) => {
  fastify.get(
    '/disguised',
    { config: Object.fromEntries([['holdfast', { plan: {} }]]) },
    async () => 'disguised',
  )
}

const plugins: readonly (readonly [string, Plugin, readonly string[]])[] = [
  ['a route without config', plain, ['GET /plugged']],
  ['a route with config', configured, ['GET /plugged']],
  ['a nested route under two prefixes', nested, ['GET /deep/deeper/plugged']],
  ['a route that comes late', late, ['GET /late']],
  ['a route of an unencapsulated plugin', wrapped, ['GET /wrapped']],
  ['an explicit HEAD', explicitHead, ['HEAD /head']],
  ['an explicit OPTIONS', explicitOptions, ['OPTIONS /options']],
  ['every method of a wildcard', wildcard, ['GET /files/*', 'DELETE /files/*', 'OPTIONS /files/*']],
  ['two methods at once', twoMethods, ['GET /two', 'POST /two']],
  ['a config that looks like ours', disguised, ['GET /disguised']],
]

const words = { ...vocabulary, limits: { ...vocabulary.limits, plugged: per('minute', 3) } }
const appWith = (plugin: Plugin | ReturnType<typeof adopt>): App =>
  createApp({ title: 'Notes', vocabulary: words, routes, migrations, plugins: [plugin] })

describe('a plugin that brings routes', () => {
  for (const [what, plugin, subjects] of plugins) {
    it(`V8.2.1 does not boot unadopted: ${what}`, async () => {
      const { violations, report } = await refusal(appWith(plugin))
      expect(violations.map(({ subject }) => subject)).toEqual(expect.arrayContaining([...subjects]))
      expect(new Set(violations.map(({ rule }) => rule))).toEqual(new Set(['plugin.unadopted']))
      expect(report).toContain(subjects[0])
      expect(report).toContain("plugins: [adopt('what the plugin is for', plugin, {")
    })

    it(`V8.2.1 is listed with its reason once adopted: ${what}`, async () => {
      const plan = await appWith(
        adopt('For this test.', plugin, { access: adminOnly(), limit: 'plugged' }),
      ).plan()
      const adopted = plan.routes.filter(({ origin }) => typeof origin === 'object')
      for (const subject of subjects.filter((name) => !name.startsWith('HEAD '))) {
        const found = adopted.find(({ method, path }) => `${method} ${path}` === subject)
        expect([subject, found]).toMatchObject([
          subject,
          {
            access: { kind: 'role', roles: ['admin'] },
            limit: 'plugged',
            origin: { adopted: 'For this test.' },
          },
        ])
        expect(found?.source).toMatch(/^test\/flows\/boot-gate\.test\.ts:\d+$/)
      }
    })
  }

  it('V8.2.1 is not covered by the adoption of another one, before it or after it', async () => {
    const other = adopt('For this test.', configured, { access: adminOnly(), limit: 'plugged' })
    for (const plugins of [
      [other, wrapped],
      [wrapped, other],
    ]) {
      const { violations } = await refusal(
        createApp({ title: 'Notes', vocabulary: words, routes, migrations, plugins }),
      )
      expect(violations.map(({ subject }) => subject)).toEqual(['GET /wrapped', 'HEAD /wrapped'])
    }
  })

  it('V8.2.1 may bring hooks and no routes without being adopted', async () => {
    const hooksOnly: Plugin = async (fastify) => {
      fastify.addHook('onSend', async () => {})
    }
    await expect(appWith(hooksOnly).plan()).resolves.toMatchObject({ title: 'Notes' })
  })

  it('V8.2.1 does not boot when adopted without reason, access or a known limit', async () => {
    const { violations } = await refusal(appWith(adopt(' ', plain, { access: adminOnly(), limit: 'none' })))
    expect(violations.map(({ rule }) => rule).sort()).toEqual([
      'plugin.reason-missing',
      'route.limit-unknown',
    ])
  })
})

describe('the routes of an adopted plugin', () => {
  let notes: NotesServer | undefined
  afterEach(() => notes?.stop())

  const addresses: readonly (readonly [string, Plugin, string, string])[] = [
    ['without config', plain, 'GET', '/plugged'],
    ['with config', configured, 'GET', '/plugged'],
    ['nested', nested, 'GET', '/deep/deeper/plugged'],
    ['late', late, 'GET', '/late'],
    ['unencapsulated', wrapped, 'GET', '/wrapped'],
    ['HEAD of a GET', plain, 'HEAD', '/plugged'],
    ['explicit HEAD', explicitHead, 'HEAD', '/head'],
    ['explicit OPTIONS', explicitOptions, 'OPTIONS', '/options'],
    ['wildcard', wildcard, 'DELETE', '/files/a/b'],
    ['two methods', twoMethods, 'POST', '/two'],
  ]
  for (const [what, plugin, method, path] of addresses) {
    it(`V8.2.1 are held to access and limit: ${what}`, async () => {
      notes = await startNotes(
        appWith(adopt('For tests.', plugin, { access: adminOnly(), limit: 'plugged' })),
      )
      const { ask, server } = notes
      const bearer = (roles: readonly string[]): { readonly headers: Readonly<Record<string, string>> } => ({
        headers: { authorization: `Bearer ${testToken(server.settings, { name: 'ann', roles })}` },
      })
      expect((await ask(method, path)).status).toBe(401)
      expect((await ask(method, path, bearer([]))).status).toBe(403)
      expect((await ask(method, path, bearer(['admin']))).status).toBe(200)
      // The limit stands before the credential: wrong guesses have used it up for the right one too.
      expect((await ask(method, path, bearer(['admin']))).status).toBe(429)
      expect((await ask(method, path)).status).toBe(429)
    })
  }
})

function adminOnly(): Parameters<typeof adopt>[2]['access'] {
  return wordsOf({ resources: [], roles: ['admin'], limits: {} }).role('admin')
}

it('V8.2.1 a route where Holdfast itself answers does not boot, and says how to have it', async () => {
  const { route, open } = wordsOf({ resources: [], roles: [], limits: { read: per('minute', 60) } })
  const taken = (address: 'GET /account' | 'GET /health/live' | 'POST /account') =>
    route(
      address,
      { access: open('Says nothing to anyone.'), output: z.strictObject({}), limit: 'read' },
      () => ({}),
    )
  const appOf = (address: Parameters<typeof taken>[0], accounts = {}) => {
    const { vocabulary: words } = wordsOf({ resources: [], roles: [], limits: { read: per('minute', 60) } })
    return createApp({ title: 'Taken', vocabulary: words, routes: [taken(address)], accounts })
  }
  expect((await refusal(appOf('GET /account'))).report).toContain('accounts: { pages: false }')
  expect((await refusal(appOf('GET /health/live'))).violations).toMatchObject([
    { rule: 'route.duplicate', subject: 'GET /health/live', fix: 'another path' },
  ])
  const own = await appOf('GET /account', { pages: false }).plan()
  expect(own.routes.find(({ path }) => path === '/account')?.origin).toBe('application')
})
