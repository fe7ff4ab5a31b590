import { granted, per, resource, through, words } from 'holdfast'
import { z } from 'zod'

export const InvoiceRow = z.strictObject({
  id: z.uuid(),
  ownerId: z.uuid(),
  total: z.int(),
  paidAt: z.iso.datetime(),
})

export const Invoice = resource('invoice', 'invoices', {
  row: InvoiceRow,
  owner: 'ownerId',
  server: { id: 'uuid', paidAt: 'handler' },
  read: granted('readers', { row: 'invoiceId', user: 'userId' }),
})

export const Reader = resource('reader', 'readers', {
  row: z.strictObject({ id: z.uuid(), invoiceId: z.uuid(), userId: z.uuid() }),
  owner: through('invoices', 'invoiceId'),
  server: { id: 'uuid' },
})

export const InvoiceView = z.strictObject({ id: z.uuid(), total: z.int() })
export const Ok = z.strictObject({ ok: z.boolean() })
export const ById = z.strictObject({ id: z.uuid() })

export const { route, open, signedIn, role, permission, owns } = words({
  resources: [Invoice, Reader],
  roles: ['admin', 'clerk'],
  limits: { read: per('minute', 300), write: per('minute', 60) },
  permissions: { 'invoices:approve': ['admin', 'clerk'] },
})
