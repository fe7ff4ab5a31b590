import { z } from 'zod'
import { ById, Invoice, Ok, open, owns, role, route, signedIn } from './vocabulary.ts'

// expect: Property 'access' is missing in type
export const noAccess = route('GET /a', { output: Ok, limit: 'read' }, () => ({ ok: true }))

// expect: Property 'output' is missing in type
export const noOutput = route('GET /a', { access: signedIn(), limit: 'read' }, () => ({ ok: true }))

// expect: Property 'limit' is missing in type
export const noLimit = route('GET /a', { access: signedIn(), output: Ok }, () => ({ ok: true }))

// expect: Property 'params' is missing in type
export const noParams = route('GET /a/:id', { access: signedIn(), output: Ok, limit: 'read' }, () => ({
  ok: true,
}))

export const misspeltLimit = route(
  'GET /a',
  // expect: Type '"raed"' is not assignable to type
  { access: signedIn(), output: Ok, limit: 'raed' },
  () => ({ ok: true }),
)

export const misspeltRole = route(
  'GET /a',
  // expect: Argument of type '"clrk"' is not assignable to parameter of type '"admin" | "clerk"'
  { access: role('clrk'), output: Ok, limit: 'read' },
  () => ({ ok: true }),
)

export const rowWithoutId = route(
  'GET /a',
  { access: owns(Invoice), output: Ok, limit: 'read' },
  // expect: Property 'invoice' does not exist on type
  ({ invoice }) => ({ ok: invoice === undefined }),
)

export const ownerOnCreate = route(
  'POST /a',
  { access: signedIn(), output: Ok, limit: 'write' },
  async ({ db, user }) => {
    // expect: 'ownerId' does not exist in type
    await db.insertInto('invoices').values({ ownerId: user.id, total: 1, paidAt: '' }).execute()
    return { ok: true }
  },
)

export const unknownColumnOfChild = route(
  'POST /a',
  { access: signedIn(), output: Ok, limit: 'write' },
  async ({ db, user }) => {
    // expect: 'nonsense' does not exist in type
    await db.insertInto('readers').values({ invoiceId: '', userId: user.id, nonsense: 1 }).execute()
    return { ok: true }
  },
)

export const serverColumnOfChild = route(
  'POST /a',
  { access: signedIn(), output: Ok, limit: 'write' },
  async ({ db, user }) => {
    // expect: 'id' does not exist in type
    await db.insertInto('readers').values({ invoiceId: '', userId: user.id, id: '' }).execute()
    return { ok: true }
  },
)

export const keyOnChange = route(
  'PATCH /a/:id',
  { access: owns(Invoice), params: ById, output: Ok, limit: 'write' },
  async ({ db, params }) => {
    // expect: is not assignable to type 'ValueExpression<
    await db.updateTable('invoices').set({ id: params.id }).execute()
    return { ok: true }
  },
)

export const otherParams = route(
  'GET /a/:id',
  // expect: is not assignable to type '"params must describe \"id\""'
  { access: owns(Invoice), params: z.strictObject({ slug: z.string() }), output: Ok, limit: 'read' },
  () => ({ ok: true }),
)

export const wrongReturn = route(
  'GET /a',
  { access: signedIn(), output: Ok, limit: 'read' },
  // expect: Type 'string' is not assignable to type 'boolean'
  () => ({ ok: 'yes' }),
)

export const userOnOpen = route(
  'GET /a',
  { access: open('Says nothing about anyone.'), output: Ok, limit: 'read' },
  // expect: Property 'user' does not exist on type
  ({ user }) => ({ ok: user === undefined }),
)

// expect: Expected 1 arguments, but got 0
export const openWithoutReason = open()

export const undeclaredBody = route(
  'POST /a',
  { access: signedIn(), output: Ok, limit: 'write' },
  // expect: Property 'body' does not exist on type
  ({ body }) => ({ ok: body === undefined }),
)

export const handmadeAccess = route(
  'GET /a',
  // expect: is missing in type '{ rule: { kind: "open"; reason: string; }; }' but required in type 'Access<unknown>'
  { access: { rule: { kind: 'open', reason: 'Says nothing.' } }, output: Ok, limit: 'read' },
  () => ({ ok: true }),
)

export const unknownMember = route(
  'GET /a',
  // expect: a route has no member \"limits\"
  { access: signedIn(), output: Ok, limit: 'read', limits: 'write' },
  () => ({ ok: true }),
)

// expect: Argument of type '"GTE /a"' is not assignable
export const misspeltMethod = route('GTE /a', { access: signedIn(), output: Ok, limit: 'read' }, () => ({
  ok: true,
}))
