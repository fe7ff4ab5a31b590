import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  allOf,
  anyCaller,
  anyOf,
  callerHas,
  callerIs,
  granted,
  type Resource,
  resource,
  where,
} from '../../data/resource.ts'
import { words } from '../words.ts'
import { examineRoute } from './examine.ts'
import { examineVocabulary } from './vocabulary.ts'

const text = z.string().max(100)
const Row = z.strictObject({
  id: z.uuid(),
  ownerId: text,
  tenantId: text,
  body: text,
  pay: z.int().nullable(),
  count: z.int(),
})
const limits = { read: { count: 10, windowSeconds: 60 } }

/** The rules that a resource breaks, each with its sentence. */
function faults(...resources: Resource[]): [rule: string, fault: string][] {
  return examineVocabulary({ resources, roles: ['admin'], limits }).map(({ rule, fault }) => [rule, fault])
}

const whole = { row: Row, owner: 'ownerId', server: { id: 'uuid' } } as const

describe('V8.1.1 a resource that contradicts itself does not boot', () => {
  it('lets one pass that does not', () => {
    const note = resource('note', 'notes', {
      ...whole,
      tenant: 'tenantId',
      encrypted: ['body'],
      lookup: { body: 'bodyIndex' },
      readableBy: { pay: ['admin'] },
      writeOnce: ['count'],
      read: anyOf(callerHas('admin'), allOf(anyCaller('Whoever is here may.'), where('count', '>', 3))),
    })
    expect(faults(note)).toEqual([])
  })

  const cases: [string, Resource, string, string][] = [
    [
      'an encrypted key',
      resource('a', 'as', { ...whole, server: {}, encrypted: ['id'] }),
      'resource.contradiction',
      'the key',
    ],
    [
      'an encrypted owner',
      resource('a', 'as', { ...whole, encrypted: ['ownerId'] }),
      'resource.contradiction',
      'the owner',
    ],
    [
      'a secret tenant',
      resource('a', 'as', { ...whole, tenant: 'tenantId', secret: ['tenantId'] }),
      'resource.contradiction',
      'the tenant',
    ],
    [
      'a rule that looks into ciphertext',
      resource('a', 'as', { ...whole, encrypted: ['body'], read: anyOf(where('body', '=', 'x')) }),
      'resource.contradiction',
      'a row rule',
    ],
    [
      'a secret that is no text',
      resource('a', 'as', { ...whole, secret: ['count'] }),
      'resource.contradiction',
      'no text',
    ],
    [
      'a lookup of a plain column',
      resource('a', 'as', { ...whole, lookup: { body: 'bodyIndex' } }),
      'resource.contradiction',
      'is not encrypted',
    ],
    [
      'a lookup in a column of the row',
      resource('a', 'as', { ...whole, encrypted: ['body'], lookup: { body: 'count' } }),
      'resource.contradiction',
      'is a column of the row',
    ],
    [
      'a withheld column that takes no null',
      resource('a', 'as', { ...whole, readableBy: { count: ['admin'] } }),
      'resource.contradiction',
      'takes no null',
    ],
    [
      'an unknown role',
      resource('a', 'as', { ...whole, read: callerHas('boss') }),
      'resource.unknown-role',
      '"boss"',
    ],
    [
      'an unknown role inside of another rule',
      resource('a', 'as', { ...whole, read: allOf(callerHas('boss')) }),
      'resource.unknown-role',
      '"boss"',
    ],
    [
      'an unknown role for a column',
      resource('a', 'as', { ...whole, readableBy: { pay: ['boss'] } }),
      'resource.unknown-role',
      '"boss"',
    ],
    [
      'everybody without a reason',
      resource('a', 'as', { ...whole, read: anyCaller('') }),
      'resource.reason-missing',
      'anyCaller',
    ],
    [
      'an order with null',
      resource('a', 'as', { ...whole, read: where('count', '<', null) }),
      'resource.rule-invalid',
      'null',
    ],
  ]
  for (const [what, made, rule, sentence] of cases) {
    it(what, () => {
      expect(faults(made)).toEqual([[rule, expect.stringContaining(sentence)]])
    })
  }

  it('a grant that those whom it names may not read', () => {
    const Grant = z.strictObject({ id: z.uuid(), ownerId: text, noteId: text, userId: text })
    const note = resource('note', 'notes', {
      ...whole,
      read: granted('grants', { row: 'noteId', user: 'userId' }),
    })
    const hidden = resource('grant', 'grants', { row: Grant, owner: 'ownerId', server: {} })
    expect(faults(note, hidden)).toEqual([['resource.grant-unreadable', expect.stringContaining('userId')]])
    const readable = resource('grant', 'grants', {
      row: Grant,
      owner: 'ownerId',
      server: {},
      read: callerIs('userId'),
    })
    expect(faults(note, readable)).toEqual([])
  })
})

describe('V8.2.3 V14.2.6 a route of such a resource does not boot', () => {
  const Note = resource('note', 'notes', { ...whole, tenant: 'tenantId', secret: ['body'] })
  const { owns, vocabulary } = words({ resources: [Note], roles: ['admin'], limits })
  const refused = (spec: Record<string, unknown>) =>
    examineRoute(
      {
        address: 'PATCH /notes/:id',
        spec: { access: owns(Note), params: z.strictObject({ id: z.uuid() }), limit: 'read', ...spec },
        handler: () => undefined,
        place: { file: 'notes.ts', line: 1 },
      },
      vocabulary,
    ).violations.map(({ rule }) => rule)

  it('when its output names a secret, at any depth', () => {
    expect(refused({ output: z.strictObject({ body: text }) })).toEqual(['schema.secret-column'])
    const nested = z.strictObject({ items: z.array(z.strictObject({ body: text })).max(5) })
    expect(refused({ output: nested })).toEqual(['schema.secret-column'])
    expect(refused({ output: z.strictObject({ count: z.int() }) })).toEqual([])
  })

  it('when its body names the tenant or the owner', () => {
    const output = z.strictObject({ count: z.int() })
    for (const column of ['tenantId', 'ownerId', 'id'])
      expect(refused({ output, body: z.strictObject({ [column]: text }) })).toEqual(['schema.server-column'])
  })

  it('when what it says of idempotency keys is no answer', () => {
    const output = z.strictObject({ count: z.int() })
    expect(refused({ output, idempotency: 'optional' })).toEqual([])
    expect(refused({ output, idempotency: 'maybe' })).toEqual(['route.idempotency'])
  })
})
