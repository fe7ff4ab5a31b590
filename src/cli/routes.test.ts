import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { plan } from '../../test/fixtures/cli/plan.ts'
import { fixture, holdfast, startHoldfast } from '../../test/kit/command-line.ts'
import { shapeText } from './schema-shape.ts'

const notes = fixture('notes.ts')

describe('holdfast routes', () => {
  it('V8.1.1 prints who may call what, in one order, aligned', async () => {
    const { code, out } = await holdfast(['routes', notes])
    expect(code).toBe(0)
    expect(out).toMatchInlineSnapshot(`
      "Notes 1.2.3: 5 routes, 1 resource

      GET     /api/notes      owner of the note                           unknown                 query {limit?, cursor?} → 200 [{id, ownerId?, title?, body?, …}]  app/notes.ts:20
      POST    /api/notes      signed in                                   write, 60 per minute    body {title, body?} → 201 {id, ownerId?, title?, body?, …}        app/notes.ts:30
      GET     /api/notes/:id  may read the note, or role admin or editor  read, 300 per minute    params {id} → 200 {id, ownerId?, title?, body?, …}                app/notes.ts:41
      DELETE  /api/notes/:id  may delete the note                         write, 60 per minute    params {id} → 204                                                 app/notes.ts:52
      GET     /health/live    anyone: Probes have no account.             probe, 5 per 7 seconds  → 200                                                             holdfast:1 (plugin: Serves the probes.)

      note (table notes)
        owner:  the caller named by ownerId
        read:   the caller named by userId in a row of note_shares
        update: nobody else
        delete: nobody else
        server: id, ownerId
      "
    `)
  })

  it('prints the plan for a script', async () => {
    for (const words of [['--json'], ['--format', 'json']]) {
      expect(JSON.parse((await holdfast(['routes', notes, ...words])).out)).toEqual(plan)
    }
  })

  it('has colours only where somebody sees them', async () => {
    const run = async (environment: Record<string, string>) =>
      (await holdfast(['routes', notes], { environment })).out
    expect(await run({})).not.toContain('\u001b[')
    expect(await run({ FORCE_COLOR: '1' })).toContain('\u001b[33m')
    expect(await run({ NO_COLOR: '1' })).not.toContain('\u001b[')
  })

  it('ends quietly when its reader has seen enough', async () => {
    const reader = startHoldfast(['routes', notes, '--json'])
    reader.stopReading()
    expect(await reader.ended).toEqual({ code: 0, out: '', err: '' })
  })
})

describe('a committed plan', () => {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-plan-'))

  it('V8.1.1 finds what changed, says where, and exits with 1', async () => {
    const file = join(dir, 'plan.json')
    expect(await holdfast(['routes', notes, '--write', file])).toEqual({ code: 0, out: '', err: '' })
    expect(await holdfast(['routes', notes, '--check', file])).toEqual({ code: 0, out: '', err: '' })
    const { code, out, err } = await holdfast(['routes', fixture('changed.ts'), '--check', file])
    expect(code).toBe(1)
    expect(err).toContain('If that is meant: --write')
    expect(out).toMatchInlineSnapshot(`
      "+ GET /health
          access: {"kind":"open","reason":"Probes have no account."}
          limit: "probe"
      - GET /health/live
          access: {"kind":"open","reason":"Probes have no account."}
          limit: "probe"
      ~ POST /api/notes
          access.kind: "signed-in" → "open"
          access.reason: absent → "It was quicker."
      ~ limit read
          count: 300 → 9000
      "
    `)
  })

  it('has an order of its own and no line numbers', async () => {
    const file = join(dir, 'ordered.json')
    await holdfast(['routes', notes, '--write', file])
    const text = readFileSync(file, 'utf8')
    expect(text).toContain('"source": "app/notes.ts"')
    const paths = [...text.matchAll(/"path": "(.*)"/g)].map((match) => match[1])
    expect(paths).toEqual([...paths].sort())
  })

  it('is compared whatever stands in the file', async () => {
    for (const [index, text] of [
      'null',
      '[]',
      '7',
      '{"routes":[null,3,{"method":{}}],"limits":[1]}',
    ].entries()) {
      const file = join(dir, `odd-${index}.json`)
      writeFileSync(file, text)
      const { code, out } = await holdfast(['routes', notes, '--check', file])
      expect(code).toBe(1)
      expect(out).toContain('+ GET /api/notes/:id')
    }
  })
})

describe('the shape of a schema', () => {
  const name = { type: 'string' }
  const cases = [
    [{ type: 'object', properties: { a: name, b: name }, required: ['b'] }, '{a?, b}'],
    [{ type: 'object' }, '{}'],
    [{ type: 'array', items: { type: 'object', properties: { a: name }, required: ['a'] } }, '[{a}]'],
    [{ anyOf: [name, { type: 'null' }] }, 'string | null'],
    [{ $ref: '#/$defs/x', $defs: { x: { type: 'object', properties: { a: name } } } }, '{a?}'],
    [{}, 'value'],
  ] as const
  for (const [schema, want] of cases) it(want, () => expect(shapeText(schema)).toBe(want))

  it('shows the first names of a long one', () => {
    const properties = { a: name, b: name, c: name }
    expect(shapeText({ type: 'object', properties, required: ['a', 'b', 'c'] }, 2)).toBe('{a, b, …}')
  })
})
