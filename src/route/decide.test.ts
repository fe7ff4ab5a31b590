import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { resource } from '../data/resource.ts'
import { type AccessRule, isAccess, knownAccess, openAccess } from './access.ts'
import { decide } from './decide.ts'

const Note = resource('note', 'notes', {
  row: z.strictObject({ id: z.uuid(), ownerId: z.uuid() }),
  owner: 'ownerId',
  server: {},
})
const owns: AccessRule = { kind: 'owns', resource: Note, action: 'update' }
const editor: AccessRule = { kind: 'role', roles: ['editor', 'admin'] }
const nobody = null
const ann = { id: 'a', roles: [] }
const ed = { id: 'e', roles: ['editor'] }

describe('V8.2.1 V8.3.1 the decision about a caller', () => {
  const cases: [string, AccessRule, typeof ann | typeof ed | null, string][] = [
    ['open, nobody', { kind: 'open', reason: 'x' }, nobody, 'open'],
    ['signed in, nobody', { kind: 'signed-in' }, nobody, 'UNAUTHENTICATED'],
    ['signed in, ann', { kind: 'signed-in' }, ann, 'lifted'],
    ['role, nobody', editor, nobody, 'UNAUTHENTICATED'],
    ['role, without it', editor, ann, 'FORBIDDEN'],
    ['role, with it', editor, ed, 'lifted'],
    ['owns, nobody', owns, nobody, 'UNAUTHENTICATED'],
    ['owns, ann: the row decides', owns, ann, 'row'],
    ['owns or role, ann: the row decides', { kind: 'any', of: [owns, editor] }, ann, 'row'],
    ['owns or role, editor: lifted', { kind: 'any', of: [owns, editor] }, ed, 'lifted'],
    [
      'an open alternative widens nothing',
      { kind: 'any', of: [editor, { kind: 'open', reason: 'x' }] },
      ann,
      'FORBIDDEN',
    ],
    ['no alternative at all', { kind: 'any', of: [] }, ed, 'FORBIDDEN'],
  ]
  for (const [name, rule, user, want] of cases) {
    it(name, () => {
      expect(outcome(rule, user)).toBe(want)
    })
  }

  function outcome(rule: AccessRule, user: { id: string; roles: string[] } | null): string {
    try {
      const decision = decide(rule, user)
      if (decision.kind === 'open') return 'open'
      return decision.lifted ? 'lifted' : decision.owned === undefined ? 'nothing' : 'row'
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : 'thrown'
    }
  }

  it('takes only values that an access word has made for access', () => {
    expect(isAccess(openAccess('x'))).toBe(true)
    expect(isAccess(knownAccess(owns).or(knownAccess(editor)))).toBe(true)
    expect(isAccess({ rule: owns })).toBe(false)
    expect(isAccess({ ...openAccess('x') })).toBe(false)
    expect(isAccess(null)).toBe(false)
  })

  it('makes alternatives flat, and without changing the parts', () => {
    const first = knownAccess(owns)
    const both = first.or(knownAccess(editor)).or(knownAccess({ kind: 'signed-in' }))
    expect(both.rule).toEqual({ kind: 'any', of: [owns, editor, { kind: 'signed-in' }] })
    expect(first.rule).toBe(owns)
  })
})
