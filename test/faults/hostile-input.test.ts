import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { createApp, type JsonSchema, per, type RoutePlan, testIdentity } from 'holdfast'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrations } from '../../examples/notes/migrations.ts'
import * as noteRoutes from '../../examples/notes/notes.ts'
import * as shareRoutes from '../../examples/notes/shares.ts'
import { vocabulary } from '../../examples/notes/words.ts'
import { sha256 } from '../../src/crypto/index.ts'
import { memberOf } from '../kit/client.ts'
import { type NotesServer, type Person, startNotes } from '../kit/notes-server.ts'
import {
  asField,
  awkwardStrings,
  awkwardValues,
  escaped,
  naughtyFile,
  naughtyStrings,
} from './hostile-values.ts'
import { canary, faultsOf, type ProbeReply, type ProbeRequest, type Prober, proberOf } from './probe.ts'

// The limits would answer in place of what is to be tested; everything else is as it ships.
const wide = per('second', 1_000_000)
const app = createApp({
  title: 'Notes',
  vocabulary: {
    ...vocabulary,
    limits: {
      ...{ read: wide, write: wide, probe: wide, reference: wide, unknown: wide },
      ...{ auth: wide, account: wide, admin: wide },
    },
  },
  routes: [...Object.values(noteRoutes), ...Object.values(shareRoutes)],
  migrations,
})

let notes: NotesServer
let ann: Person
let prober: Prober
let noteId: string
let routes: readonly RoutePlan[]
beforeAll(async () => {
  notes = await startNotes(app, 'sqlite', testIdentity, { TRUSTED_PROXIES: '127.0.0.1' })
  ann = notes.person('ann')
  prober = proberOf(notes.address)
  noteId = await ann.note('one to work on')
  routes = notes.server.plan.routes
})
afterAll(async () => {
  // The process and the way to the data are still whole after everything.
  expect((await ann.ask('GET', '/health/ready')).status).toBe(200)
  expect((await ann.ask('GET', '/api/notes?limit=1')).status).toBe(200)
  prober.close()
  await notes.stop()
})

const texts: readonly string[] = [...naughtyStrings, ...awkwardStrings]

/** Sends them, some at a time, expects that no reply is wrong in any way, and answers with the statuses seen. */
async function expectSound(asked: readonly ProbeRequest[]): Promise<Set<number>> {
  const queue = asked.values()
  const faults: string[] = []
  const statuses = new Set<number>()
  const worker = async (): Promise<void> => {
    for (const one of queue) {
      const reply = await sendUntilTaken(one)
      statuses.add(reply.status)
      faults.push(...faultsOf(reply, one))
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  expect(faults.slice(0, 10)).toEqual([])
  return statuses
}

let askedCount = 0

/** Each request comes from an address of its own: the limits of sign-in by address have their own tests. */
/** Sends it; on a machine that is busy with other tests too the server may ask to come again, and then it is sent again. */
async function sendUntilTaken(one: ProbeRequest): Promise<ProbeReply> {
  for (let left = 5; ; left -= 1) {
    const reply = await prober.send(one)
    const seconds = Number(reply.headers['retry-after'])
    if (left === 0 || reply.status !== 503 || !(seconds <= 5)) return reply
    await delay(seconds * 1000)
  }
}

function credentials(): Readonly<Record<string, string>> {
  askedCount += 1
  const from = `10.${(askedCount >> 16) & 255}.${(askedCount >> 8) & 255}.${askedCount & 255}`
  return { authorization: `Bearer ${ann.token}`, 'x-forwarded-for': from }
}

function jsonCredentials(): Readonly<Record<string, string>> {
  return { ...credentials(), 'content-type': 'application/json' }
}

/** The path of a route with good values, or with one of them replaced. */
function pathOf(route: Pick<RoutePlan, 'path'>, parameter?: string, value?: string): string {
  const good: Readonly<Record<string, string>> = { id: noteId, userId: notes.person('ben').id }
  return route.path.replaceAll(/:(\w+)/g, (_, name: string) =>
    name === parameter ? escaped(value ?? '') : (good[name] ?? ''),
  )
}

function namesIn(schema: JsonSchema | undefined): readonly string[] {
  return Object.keys(Object(memberOf(schema, 'properties')))
}

const goodBody: Readonly<Record<string, unknown>> = {
  ...{ title: 'title', body: 'body', permission: 'read' },
  ...{ email: 'somebody@example.com', password: 'violet anchors hum softly', token: 'a'.repeat(43) },
}

function bodyOf(route: RoutePlan, name?: string, value?: unknown): Readonly<Record<string, unknown>> {
  const good = namesIn(route.schemas.body).map((key) => [key, goodBody[key]] as const)
  return Object.fromEntries(name === undefined ? good : [...good, [name, value]])
}

const withBody = (): readonly RoutePlan[] => routes.filter(({ schemas }) => schemas.body !== undefined)
// What deletes would take away what the others work on.
const lasting = (): readonly RoutePlan[] => routes.filter(({ method }) => method !== 'DELETE')

/** One in `of` of each list, another one in each, so that every place gets its share and every value its places. */
function shares<T>(lists: readonly (readonly T[])[], of: number): T[] {
  return lists.flatMap((list, row) => list.filter((_, column) => (row + column) % of === 0))
}

const unhurried = { timeout: 60_000 }

describe('V16.5.1 hostile values', unhurried, () => {
  it('are the very list that the table of the vectors names', () => {
    const table = readFileSync(new URL('README.md', naughtyFile), 'utf8')
    expect(table).toContain(sha256(readFileSync(naughtyFile)).toString('hex'))
    expect(naughtyStrings).toHaveLength(515)
  })

  it('in every path parameter', async () => {
    const lists = routes.flatMap((route) =>
      [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) =>
        [...texts.map((text) => text + canary), ...awkwardStrings].map((text) => ({
          method: route.method,
          target: pathOf(route, name, text),
          headers: jsonCredentials(),
          ...(route.schemas.body === undefined ? {} : { body: JSON.stringify(bodyOf(route)) }),
        })),
      ),
    )
    const asked = shares(lists, 3)
    expect(asked.length).toBeGreaterThan(1_200)
    expect(await expectSound(asked)).toContain(400)
  })

  it('in every query parameter, in their names, and twice', async () => {
    const asked = lasting().flatMap((route) => {
      const names = namesIn(route.schemas.query)
      const values = names.length > 0 ? texts : awkwardStrings
      const written: readonly ((text: string) => string)[] = [
        ...names.map((name) => (text: string) => `${name}=${escaped(text + canary)}`),
        ...names.map((name) => (text: string) => `${name}=${escaped(text)}`),
        ...names.map((name) => (text: string) => `${name}=1&${name}=${escaped(text + canary)}`),
        (text) => `${escaped(text + canary)}=1`,
      ]
      const lists = written.map((write) =>
        values.map((text) => ({
          method: route.method,
          target: `${pathOf(route)}?${write(text)}`,
          headers: credentials(),
        })),
      )
      return shares(lists, 2)
    })
    // 403: what administrators alone may see.
    expect(await expectSound(asked)).toEqual(new Set([200, 400, 403]))
  })

  it('in every header field', async () => {
    const fields =
      'accept accept-encoding accept-language authorization cookie content-encoding content-type expect forwarded if-match if-modified-since if-none-match if-range origin range referer sec-fetch-site traceparent upgrade-insecure-requests user-agent via x-forwarded-for x-forwarded-host x-forwarded-proto x-http-method-override x-request-id'.split(
        ' ',
      )
    const list = lasting()
    const lists = fields.map((field, row) =>
      texts.flatMap((text, column) => {
        const route = list[(row + column) % list.length]
        if (route === undefined) return []
        const headers = { ...jsonCredentials(), [field]: asField(text + canary) }
        const body = route.schemas.body === undefined ? {} : { body: JSON.stringify(bodyOf(route)) }
        return [{ method: route.method, target: pathOf(route), headers, ...body }]
      }),
    )
    const asked = shares(lists, 7)
    // Which route gets which text changes with the routes there are: these come in any case, the others may.
    const seen = await expectSound(asked)
    const statuses = [200, 201, 400, 401, 403, 415]
    for (const status of statuses) expect([...seen], String(status)).toContain(status)
    for (const status of seen) expect([...statuses, 202, 404, 412, 429]).toContain(status)
  })

  it('in every member of a body', async () => {
    const lists = withBody().flatMap((route) =>
      [...namesIn(route.schemas.body), canary].map((name) =>
        [...texts.map((text) => text + canary), ...awkwardValues].map((value) => ({
          method: route.method,
          target: pathOf(route),
          headers: jsonCredentials(),
          body: JSON.stringify(bodyOf(route, name, value)),
        })),
      ),
    )
    const statuses = [200, 201, 202, 400, 401, 403, 429]
    expect(await expectSound(shares(lists, 3))).toEqual(new Set(statuses))
  })

  it('as the whole body and as the name of a member', async () => {
    const asked = withBody().flatMap((route) => {
      const bodies = [
        ...awkwardStrings.flatMap((text) => [text + canary, JSON.stringify(text + canary)]),
        ...shares([texts], 3).map((text) => JSON.stringify(bodyOf(route, text + canary, 1))),
        ...awkwardValues.map((value) => JSON.stringify(value)),
        '['.repeat(200_000),
        '{"a":'.repeat(100_000),
        `"${canary}`,
        `{"title":"${canary}","title":"${canary}"}`,
        `${' '.repeat(1_000_000)}{}`,
      ]
      return bodies.map((body) => ({
        method: route.method,
        target: pathOf(route),
        headers: jsonCredentials(),
        body,
      }))
    })
    // 401: `{}` is a whole body to those who refresh with a cookie.
    expect(await expectSound(asked)).toEqual(new Set([400, 401, 403]))
  })
})

describe('V16.5.1 generated input', unhurried, () => {
  const bytes = fc.uint8Array({ maxLength: 300 })
  const json = fc.json({ maxDepth: 6 })
  const content = fc.oneof(bytes, json, fc.string({ unit: 'binary' }))
  const type = fc.oneof(
    fc.constant('application/json'),
    fc.constantFrom('text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', ''),
    fc.string().map(asField),
  )
  const segment = fc.string({ unit: 'binary', maxLength: 40 }).map(escaped)

  it('as body and content type of every route', async () => {
    const pick = fc.nat({ max: routes.length - 1 })
    await fc.assert(
      fc.asyncProperty(pick, content, type, async (index, body, contentType) => {
        const route = lasting()[index % lasting().length]
        if (route === undefined) return
        const headers = { ...credentials(), ...(contentType === '' ? {} : { 'content-type': contentType }) }
        const asked = { method: route.method, target: pathOf(route), headers, body }
        expect(faultsOf(await prober.send(asked), asked)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  it('as path and query', async () => {
    const methods = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')
    const path = fc.array(segment, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`)
    const prefix = fc.constantFrom('', '/api', '/api/notes', '/health', '/docs')
    const query = fc.array(fc.tuple(segment, segment), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(methods, prefix, path, query, async (method, start, rest, pairs) => {
        const search = pairs.map(([name, value]) => `${name}=${value}`).join('&')
        const asked = { method, target: `${start}${rest}?${search}`, headers: credentials() }
        expect(faultsOf(await prober.send(asked), asked)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})

describe('V15.2.2 memory', unhurried, () => {
  it('does not grow with hostile requests', async () => {
    setFlagsFromString('--expose-gc')
    const collect: unknown = runInNewContext('gc')
    const heapBytes = (): number => {
      if (typeof collect === 'function') collect()
      return process.memoryUsage().heapUsed
    }
    const round = (index: number): ProbeRequest => ({
      method: 'PATCH',
      target: `${pathOf({ path: '/api/notes/:id' })}?${index}=${index}`,
      headers: { ...jsonCredentials(), 'if-match': `"${index}"`, 'x-forwarded-for': `192.0.2.${index}` },
      body: JSON.stringify({ title: `${index}`.repeat(200), [`${canary}${index}`]: 'a'.repeat(10_000) }),
    })
    await expectSound(Array.from({ length: 200 }, (_, index) => round(index)))
    const beforeBytes = heapBytes()
    await expectSound(Array.from({ length: 2_000 }, (_, index) => round(index)))
    expect(heapBytes() - beforeBytes).toBeLessThan(24 * 1024 * 1024)
  })
})
