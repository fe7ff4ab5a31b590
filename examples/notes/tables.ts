import { callerIs, granted, resource, through } from 'holdfast'
import { z } from 'zod'

export const NoteRow = z.strictObject({
  id: z.uuid(),
  ownerId: z.uuid(),
  title: z.string().min(1).max(200),
  body: z.string().max(20_000),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  revision: z.int().positive(),
})

/** What a client is shown of a note. */
export const NoteView = NoteRow.omit({ revision: true })

export const Note = resource('note', 'notes', {
  row: NoteRow,
  owner: 'ownerId',
  server: { id: 'uuid', createdAt: 'created', updatedAt: 'changed', revision: 'revision' },
  read: granted('note_shares', { row: 'noteId', user: 'userId' }),
  update: granted('note_shares', { row: 'noteId', user: 'userId', where: { permission: 'write' } }),
  transfer: 'owner',
})

export const ShareRow = z.strictObject({
  id: z.uuid(),
  noteId: z.uuid(),
  userId: z.uuid(),
  permission: z.enum(['read', 'write']),
})

export const Share = resource('share', 'note_shares', {
  row: ShareRow,
  owner: through('notes', 'noteId'),
  server: { id: 'uuid' },
  read: callerIs('userId'),
})
