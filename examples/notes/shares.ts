import { noContent } from 'holdfast'
import { z } from 'zod'
import { Note, NoteRow, NoteView, ShareRow } from './tables.ts'
import { owns, route } from './words.ts'

const SharePlace = z.strictObject({ id: z.uuid(), userId: z.uuid() })
const ShareTerms = ShareRow.pick({ permission: true })
const ShareView = ShareRow.omit({ id: true })
const NoteId = NoteRow.pick({ id: true })
const NewOwner = ShareRow.pick({ userId: true })

// Only the owner shares: someone who was given a note to write must not give it on.

export const shareNote = route(
  'PUT /api/notes/:id/shares/:userId',
  { access: owns(Note, 'owner'), params: SharePlace, body: ShareTerms, output: ShareView, limit: 'write' },
  ({ db, note, params, body }) =>
    db
      .insertInto('note_shares')
      .values({ noteId: note.id, userId: params.userId, permission: body.permission })
      .onConflict((conflict) =>
        conflict.columns(['noteId', 'userId']).doUpdateSet({ permission: body.permission }),
      )
      .returningAll()
      .executeTakeFirstOrThrow(),
)

export const unshareNote = route(
  'DELETE /api/notes/:id/shares/:userId',
  { access: owns(Note, 'owner'), params: SharePlace, output: noContent, limit: 'write' },
  async ({ db, note, params }) => {
    await db
      .deleteFrom('note_shares')
      .where('noteId', '=', note.id)
      .where('userId', '=', params.userId)
      .returning('id')
      .executeTakeFirstOrThrow()
  },
)

/** Gives the note away, shares and all; the caller has it no longer. */
export const transferNote = route(
  'PUT /api/notes/:id/owner',
  { access: owns(Note, 'owner'), params: NoteId, body: NewOwner, output: NoteView, limit: 'write' },
  ({ db, note, body }) =>
    db
      .updateTable('notes')
      .set({ ownerId: body.userId })
      .where('id', '=', note.id)
      .returningAll()
      .executeTakeFirstOrThrow(),
)
