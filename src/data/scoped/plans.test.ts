import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CompiledQuery, CreateTableBuilder, Kysely } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { engineKinds, type FreshDatabase, freshDatabase } from '../../../test/kit/databases.ts'
import { type Database, openDatabase } from '../open.ts'
import { callerHas, granted, type Resource, resource } from '../resource.ts'
import type { Scope } from '../scope.ts'
import { OwnedRows } from './database.ts'

// Plans are remembered and serve every caller: whatever of a caller is not part of the key must be bound anew.

interface Paper {
  readonly id: string
  readonly ownerId: string
  readonly tenantId: string
  readonly title: string
  readonly revision: number
}

interface Tables {
  papers: Paper
  readers: { id: string; paperId: string; userId: string; kind: string; tenantId: string }
}

const text = z.string().max(100)
const Paper = resource('paper', 'papers', {
  row: z.strictObject({ id: text, ownerId: text, tenantId: text, title: text, revision: z.int() }),
  owner: 'ownerId',
  tenant: 'tenantId',
  server: { id: 'handler', revision: 'revision' },
  read: [
    granted('readers', { row: 'paperId', user: 'userId', where: { kind: 'read' } }),
    callerHas('auditor'),
  ],
  update: granted('readers', { row: 'paperId', user: 'userId', where: { kind: 'write' } }),
})
const Reader = resource('reader', 'readers', {
  row: z.strictObject({ id: text, paperId: text, userId: text, kind: text, tenantId: text }),
  owner: 'userId',
  tenant: 'tenantId',
  server: { id: 'handler' },
})
const resources: readonly Resource[] = [Paper, Reader]

const tenants = ['t1', 't2']
const users = ['ann', 'ben', "o'hara"]
const papers: readonly Paper[] = tenants.flatMap((tenantId) =>
  users.map((ownerId, index) => ({
    ...{ id: `${tenantId}-${index}`, ownerId, tenantId, title: `of ${ownerId}`, revision: index + 1 },
  })),
)
const readers = [
  { id: '1', paperId: 't1-0', userId: 'ben', kind: 'read', tenantId: 't1' },
  { id: '2', paperId: 't1-2', userId: 'ben', kind: 'write', tenantId: 't1' },
  { id: '3', paperId: 't2-1', userId: "o'hara", kind: 'read', tenantId: 't2' },
  // A grant that stands in another tenant than its paper is none.
  { id: '4', paperId: 't2-0', userId: 'ben', kind: 'write', tenantId: 't1' },
]

/** The rules of the resource, written once more. */
function may(scope: Scope, action: 'read' | 'update', paper: Paper): boolean {
  const { userId, tenantId, roles, lifted } = scope
  if (paper.tenantId !== tenantId) return false
  const kinds = action === 'read' ? ['read', 'write'] : ['write']
  const which = lifted.get('papers')
  return (
    paper.ownerId === userId ||
    (action === 'read' && userId !== null && roles.includes('auditor')) ||
    readers.some(
      (one) =>
        one.paperId === paper.id &&
        one.userId === userId &&
        one.tenantId === tenantId &&
        kinds.includes(one.kind),
    ) ||
    which === 'all' ||
    which?.key === paper.id
  )
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const scopes: readonly Scope[] = [...users, null].flatMap((userId) =>
  [null, ...tenants].flatMap((tenantId) =>
    [[], ['auditor'], ['clerk']].flatMap((roles) =>
      [
        new Map<string, 'all' | { readonly key: string }>(),
        new Map([['papers', 'all' as const]]),
        new Map([['papers', { key: 't1-0' }]]),
        new Map([['papers', { key: 't2-1' }]]),
      ].map((lifted): Scope => ({ userId, tenantId, roles, lifted })),
    ),
  ),
)

describe.each(engineKinds)('V8.2.2 V8.4.1 plans that all callers share, on %s', (engine) => {
  let fresh: FreshDatabase
  let database: Database
  let rows: OwnedRows

  beforeEach(async () => {
    fresh = engine === 'sqlite' ? onFile() : await freshDatabase(engine)
    database = fresh.database
    rows = new OwnedRows(database, resources)
    const all: [string, readonly string[]][] = [
      ['papers', ['id', 'ownerId', 'tenantId', 'title']],
      ['readers', ['id', 'paperId', 'userId', 'kind', 'tenantId']],
    ]
    for (const [table, columns] of all) {
      let create: CreateTableBuilder<string, string> = database.db.schema.createTable(table)
      for (const column of columns)
        create = create.addColumn(column, 'text', (c) => (column === 'id' ? c.primaryKey() : c))
      await (table === 'papers' ? create.addColumn('revision', 'integer') : create).execute()
    }
    await database.db
      .insertInto('papers')
      .values(papers.map((paper) => ({ ...paper })))
      .execute()
    await database.db.insertInto('readers').values(readers).execute()
    await fresh.secure(resources)
  })

  afterEach(() => fresh.drop())

  const db = (scope: Scope): Kysely<Tables> => rows.as<Tables>(scope)
  const idsOf = (found: readonly { id: string }[]): readonly string[] => found.map(({ id }) => id).sort()
  const readable = (scope: Scope): readonly string[] =>
    idsOf(papers.filter((paper) => may(scope, 'read', paper)))

  it('give each caller the first of their own rows in order, each of them once', async () => {
    for (const scope of scopes) {
      const page = db(scope).selectFrom('papers').selectAll().orderBy('title').orderBy('id').limit(4)
      const wanted = papers
        .filter((paper) => may(scope, 'read', paper))
        .toSorted((a, b) => compareTexts(a.title, b.title) || compareTexts(a.id, b.id))
        .slice(0, 4)
      const found = await page.execute()
      expect({ scope, ids: found.map(({ id }) => id) }).toEqual({ scope, ids: wanted.map(({ id }) => id) })
    }
  })

  it('give each caller their own rows, whoever asked before and asks meanwhile', async () => {
    for (let round = 0; round < 2; round += 1) {
      await Promise.all(
        scopes.map(async (scope) => {
          const listed = await db(scope).selectFrom('papers').selectAll().execute()
          expect({ scope, ids: idsOf(listed) }).toEqual({ scope, ids: readable(scope) })
        }),
      )
    }
  })

  it('load a row for those alone who may do what it is loaded for', async () => {
    for (const action of ['read', 'update'] as const) {
      await Promise.all(
        scopes.flatMap((scope) =>
          papers.map(async (paper) => {
            const found = await rows.load(Paper, { scope, action, key: paper.id })
            const isFound = may(scope, action, paper)
            expect({ scope, action, found }).toEqual({ scope, action, found: isFound ? paper : undefined })
            const named = await db(scope)
              .selectFrom('papers')
              .select('id')
              .where('id', '=', paper.id)
              .execute()
            expect(idsOf(named)).toEqual(may(scope, 'read', paper) ? [paper.id] : [])
          }),
        ),
      )
    }
  })

  it('change rows of those alone who may change them', async () => {
    for (const scope of scopes) {
      const change = db(scope).updateTable('papers').set({ title: 'changed' }).returning('id')
      const changed = await change.execute()
      const mine = papers.filter((paper) => may(scope, 'update', paper) && may(scope, 'read', paper))
      expect({ scope, ids: idsOf(changed) }).toEqual({ scope, ids: idsOf(mine) })
    }
  })

  it('hold a change to the revision of this request, not of the one before', async () => {
    const scope: Scope = { userId: 'ann', tenantId: 't1', roles: [], lifted: new Map() }
    const changeAt = (revision: number) =>
      db({ ...scope, expected: { table: 'papers', key: 't1-0', revision } })
        .updateTable('papers')
        .set({ title: 'changed' })
        .where('id', '=', 't1-0')
        .returning('revision')
        .execute()
    expect(await changeAt(7)).toEqual([])
    expect(await changeAt(1)).toEqual([{ revision: 2 }])
    expect(await changeAt(1)).toEqual([])
    expect(await changeAt(2)).toEqual([{ revision: 3 }])
  })

  describe('a compiled query', () => {
    const ann: Scope = { userId: 'ann', tenantId: 't1', roles: [], lifted: new Map() }
    const ben: Scope = { ...ann, userId: 'ben' }
    const compiled = (): CompiledQuery => db(ann).selectFrom('papers').selectAll().compile()
    const bens: [string, (query: CompiledQuery) => Promise<unknown>][] = [
      ['by itself', (query) => db(ben).executeQuery(query)],
      [
        'in a transaction',
        (query) =>
          db(ben)
            .transaction()
            .execute((trx) => trx.executeQuery(query)),
      ],
      [
        'on a connection',
        (query) =>
          db(ben)
            .connection()
            .execute((one) => one.executeQuery(query)),
      ],
      ['with a signal', (query) => db(ben).executeQuery(query, { signal: new AbortController().signal })],
      ['through the executor', (query) => db(ben).getExecutor().executeQuery(query)],
    ]

    it.each(bens)('of one caller is refused to another, %s', async (_, run) => {
      await expect(run(compiled())).rejects.toMatchObject({ code: 'INTERNAL' })
    })

    it.each([
      ['what inherits from it', (query: CompiledQuery) => Object.create(query)],
      ['what stands before it', (query: CompiledQuery) => new Proxy(query, {})],
      [
        'a copy of its kind',
        (query: CompiledQuery) => Object.assign(Object.create(Object.getPrototypeOf(query)), query),
      ],
    ])('is not %s', async (_, forge) => {
      const forged: CompiledQuery = forge(compiled())
      await expect(db(ann).executeQuery(forged)).rejects.toMatchObject({ code: 'INTERNAL' })
    })

    it('cannot be given other values, and runs as it was compiled', async () => {
      const query = compiled()
      expect(Object.isFrozen(query) && Object.isFrozen(query.parameters)).toBe(true)
      const own = db(ann)
      const again = await own.executeQuery(own.selectFrom('papers').select('id').compile())
      expect(idsOf(again.rows)).toEqual(readable(ann))
    })
  })
})

/** In a file, where reads have a connection of their own. */
function onFile(): FreshDatabase {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-plans-'))
  const database = openDatabase(join(dir, 'a.sqlite'))
  return {
    database,
    secure: async () => undefined,
    async drop() {
      await database.close()
      rmSync(dir, { recursive: true })
    },
  }
}
