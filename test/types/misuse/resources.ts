import { resource } from 'holdfast'
import { InvoiceRow } from './vocabulary.ts'

// expect: Property 'owner' is missing in type
export const noOwner = resource('invoice', 'invoices', { row: InvoiceRow, server: {} })

// expect: Type '"ownrId"' is not assignable to type
export const misspeltOwner = resource('invoice', 'invoices', { row: InvoiceRow, owner: 'ownrId', server: {} })

export const misspeltColumn = resource('invoice', 'invoices', {
  row: InvoiceRow,
  owner: 'ownerId',
  // expect: the row has no column \"paidAd\"
  server: { id: 'uuid', paidAd: 'handler' },
})
