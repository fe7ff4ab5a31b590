import { noContent } from 'holdfast'
import { z } from 'zod'
import { Note, NoteRow, NoteView } from './tables.ts'
import { open, owns, route, signedIn } from './words.ts'

const NoteId = z.strictObject({ id: z.uuid() })
const NoteDraft = NoteRow.pick({ title: true, body: true })
const NoteChange = NoteDraft.partial().refine((change) => Object.keys(change).length > 0)
const NotePage = z.strictObject({ items: z.array(NoteView), nextCursor: z.string().nullable() })
const Paging = z.strictObject({
  limit: z.int().min(1).max(100).default(20),
  cursor: z.string().max(500).optional(),
})

export const welcome = route(
  'GET /',
  {
    access: open('Says what this is and nothing about anyone.'),
    output: z.strictObject({ name: z.string() }),
    limit: 'read',
  },
  () => ({ name: 'Notes' }),
)

export const createNote = route(
  'POST /api/notes',
  { access: signedIn(), body: NoteDraft, output: NoteView, limit: 'write', idempotency: 'optional' },
  ({ db, body }) => db.insertInto('notes').values(body).returningAll().executeTakeFirstOrThrow(),
)

export const listNotes = route(
  'GET /api/notes',
  // A page of a hundred notes takes as much of the limit as four pages of the usual twenty.
  { access: signedIn(), query: Paging, output: NotePage, limit: 'read', cost: { query: 'limit', per: 25 } },
  ({ db, query, page }) =>
    page(db.selectFrom('notes').selectAll(), {
      by: [
        ['createdAt', 'desc'],
        ['id', 'desc'],
      ],
      ...query,
    }),
)

export const readNote = route(
  'GET /api/notes/:id',
  { access: owns(Note), params: NoteId, output: NoteView, limit: 'read' },
  ({ note }) => note,
)

export const changeNote = route(
  'PATCH /api/notes/:id',
  { access: owns(Note), params: NoteId, body: NoteChange, output: NoteView, limit: 'write' },
  ({ db, note, body }) =>
    db.updateTable('notes').set(body).where('id', '=', note.id).returningAll().executeTakeFirstOrThrow(),
)

export const deleteNote = route(
  'DELETE /api/notes/:id',
  { access: owns(Note), params: NoteId, output: noContent, limit: 'write' },
  async ({ db, note }) => {
    await db.deleteFrom('notes').where('id', '=', note.id).returning('id').executeTakeFirstOrThrow()
  },
)
