import { memberOf } from '../kit/client.ts'
import {
  bodyOf,
  type Draft,
  enter,
  judgeNote,
  judgeShare,
  type KnownNote,
  type KnownShare,
  type Ledger,
  type Permission,
  versionOf,
} from './kill-ledger.ts'
import { type Received, send } from './kill-load.ts'
import type { KillableServer, KnownPerson } from './killed-server.ts'

/**
 * Holds what a server shows after its start against the ledger.
 *
 * @param since Notes made before this moment are known to be complete.
 */
export async function check(
  server: KillableServer,
  ledger: Ledger,
  notes: readonly KnownNote[],
  since: string,
): Promise<void> {
  const made: KnownNote[] = []
  for (const person of server.people) made.push(...(await checkList(server, ledger, person, since)))
  for (const draft of ledger.drafts) {
    const note = await checkDraft(server, ledger, draft, made)
    if (note !== undefined) made.push(note)
  }
  ledger.drafts.clear()
  for (const group of chunks([...new Set([...notes, ...made])], 12))
    await Promise.all(group.map((note) => checkNote(server, ledger, note)))
}

/** Looks for notes that are there and not known, newest first: each must be one that was sent, once. */
async function checkList(
  server: KillableServer,
  ledger: Ledger,
  person: KnownPerson,
  since: string,
): Promise<readonly KnownNote[]> {
  const made: KnownNote[] = []
  const listed = new Set<string>()
  let cursor: unknown = null
  do {
    const at: string = typeof cursor === 'string' ? `&cursor=${encodeURIComponent(cursor)}` : ''
    const page = await answered(send(server, person, 'GET', `/api/notes?limit=50${at}`))
    const items: unknown = memberOf(page.json, 'items')
    cursor = memberOf(page.json, 'nextCursor')
    for (const item of Array.isArray(items) ? items : []) {
      const id = String(memberOf(item, 'id'))
      if (memberOf(item, 'ownerId') === person.id) listed.add(id)
      if (String(memberOf(item, 'createdAt')) < since) cursor = null
    }
  } while (cursor !== null)
  for (const id of listed) {
    if (ledger.notes.has(id)) continue
    const reply = await answered(send(server, person, 'GET', `/api/notes/${id}`))
    const { title } = versionOf(ledger, reply.json, reply.tag)
    const draft = [...ledger.drafts].find((sent) => sent.title === title && sent.owner.id === person.id)
    if (draft === undefined || made.some(({ content }) => content?.title === title))
      ledger.faults.push(`${id} (${title}) is there, and was never sent, or is there twice`)
    else made.push(enter(ledger, draft, id))
  }
  return made
}

/** Sends an unanswered note again under its key: it is there once, whether it was carried out before or not. */
async function checkDraft(
  server: KillableServer,
  ledger: Ledger,
  draft: Draft,
  made: readonly KnownNote[],
): Promise<KnownNote | undefined> {
  const there = made.find(({ content }) => content?.title === draft.title)
  if (there !== undefined) ledger.found += draft.isAcknowledged ? 0 : 1
  else if (draft.isAcknowledged) ledger.faults.push(`note ${draft.title} was acknowledged, found nothing`)
  if (draft.key === undefined) return undefined
  const again = await answered(
    send(server, draft.owner, 'POST', '/api/notes', {
      headers: { 'idempotency-key': `"${draft.key}"` },
      body: { title: draft.title, body: bodyOf(draft.title) },
    }),
  )
  const id = String(memberOf(again.json, 'id'))
  const isReplayed = again.header('idempotency-replayed') === 'true'
  if (again.status === 201 && there === undefined && !isReplayed) return enter(ledger, draft, id)
  if (again.status !== 201 || there?.id !== id || !isReplayed)
    ledger.faults.push(`note ${draft.title} sent again: ${again.status} ${id}, first found as ${there?.id}`)
  return undefined
}

async function checkNote(server: KillableServer, ledger: Ledger, note: KnownNote): Promise<void> {
  const reply = await answered(send(server, note.owner, 'GET', `/api/notes/${note.id}`))
  judgeNote(ledger, note, reply.status === 404 ? null : versionOf(ledger, reply.json, reply.tag))
  for (const [person, share] of note.shares) await checkShare(server, ledger, note, person, share)
}

async function checkShare(
  server: KillableServer,
  ledger: Ledger,
  note: KnownNote,
  person: KnownPerson,
  share: KnownShare,
): Promise<void> {
  const read = await answered(send(server, person, 'GET', `/api/notes/${note.id}`))
  // No note has this revision: whoever may write is told so, and nothing is written.
  const written = await answered(
    send(server, person, 'PATCH', `/api/notes/${note.id}`, {
      headers: { 'if-match': '"0"' },
      body: { title: 'never' },
    }),
  )
  const found = permissions.get(`${read.status} ${written.status}`)
  if (found === undefined)
    ledger.faults.push(`share of ${note.id}: ${read.status} to read, ${written.status} to write`)
  else judgeShare(ledger, note, share, found)
}

const permissions = new Map<string, Permission>([
  ['404 404', null],
  ['200 404', 'read'],
  ['200 412', 'write'],
])

/** @throws TypeError when the server does not answer: nobody kills it while it is checked. */
async function answered(reply: Promise<Received | undefined>): Promise<Received> {
  const received = await reply
  if (received === undefined) throw new TypeError('no reply while nothing is killed')
  return received
}

function chunks<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  )
}
