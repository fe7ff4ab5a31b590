import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import { noContent } from 'holdfast'
import Joi from 'joi'
import * as v from 'valibot'
import {
  ById,
  Invoice,
  InvoiceView,
  Ok,
  open,
  owns,
  permission,
  role,
  route,
  signedIn,
} from './vocabulary.ts'

// What is right compiles, with any validator and with several in one route.

export const read = route(
  'GET /invoices/:id',
  { access: owns(Invoice).or(role('clerk')), params: ById, output: InvoiceView, limit: 'read' },
  ({ invoice, user, params }) => {
    const roles: readonly ('admin' | 'clerk')[] = user.roles
    return roles.length > 9 ? { id: params.id, total: 0 } : invoice
  },
)

export const list = route(
  'GET /invoices',
  {
    access: signedIn(),
    query: toStandardJsonSchema(v.strictObject({ size: v.number() })),
    output: type({ '+': 'reject', count: 'number' }),
    limit: 'read',
  },
  async ({ db, query }) => {
    const rows = await db.selectFrom('invoices').select('id').limit(query.size).execute()
    return { count: rows.length }
  },
)

export const change = route(
  'PATCH /invoices/:id',
  {
    access: owns(Invoice),
    params: type({ '+': 'reject', id: 'string' }),
    body: Joi.object<{ total: number }>({ total: Joi.number().required() }),
    output: InvoiceView,
    limit: 'write',
    status: 202,
  },
  ({ db, invoice, body }) =>
    db
      .updateTable('invoices')
      .set({ total: body.total })
      .where('id', '=', invoice.id)
      .returningAll()
      .executeTakeFirstOrThrow(),
)

export const remove = route(
  'DELETE /invoices/:id',
  { access: owns(Invoice, 'owner'), params: ById, output: noContent, limit: 'write' },
  () => undefined,
)

export const approve = route(
  'POST /invoices/:id/approve',
  { access: permission('invoices:approve'), params: ById, output: Ok, limit: 'write' },
  ({ user }) => {
    const roles: readonly ('admin' | 'clerk')[] = user.roles
    return { ok: roles.length > 0 }
  },
)

export const status = route(
  'GET /status',
  { access: open('Says nothing about anyone.'), output: Ok, limit: 'read' },
  () => ({ ok: true }),
)
