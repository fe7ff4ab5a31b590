import { memberOf } from '../test/kit/client.ts'
import type { Reply, SoakClient } from './soak-client.ts'
import type { KnownNote, Person } from './soak-people.ts'

// What honest people do. Each waits for the answer before the next request, so what an answer says is what must be there.

const noteMaxCount = 30
const bodyMaxChars = 20_000

/** What one step of somebody needs. */
export interface Work {
  readonly client: SoakClient
  readonly person: Person
  readonly people: readonly Person[]
  /** Numbers from 0 to 1. */
  readonly random: () => number
}

type Step = (work: Work, note: KnownNote) => Promise<void>

// In a hundred steps of somebody who has notes.
const steps: readonly (readonly [share: number, step: Step])[] = [
  [42, read],
  [18, list],
  [12, change],
  [5, changeStale],
  [5, share],
  [4, readShared],
  [7, remove],
]

/** Does one thing: mostly reading, else creating until there are enough notes. */
export async function doSomething(work: Work): Promise<void> {
  const { person, random } = work
  // A new sign-in costs a hash of a password, so it is rare.
  const isSignedIn = random() < 0.004 ? await person.signIn() : await person.beSignedIn()
  if (!isSignedIn) return
  const notes = [...person.notes.values()]
  const note = notes[Math.floor(random() * notes.length)]
  let turn = random() * 100
  for (const [share, step] of steps) {
    turn -= share
    if (turn >= 0) continue
    if (note !== undefined) return step(work, note)
    break
  }
  if (notes.length < noteMaxCount) await create(work)
  else if (note !== undefined) await remove(work, note)
}

async function create({ client, person, random }: Work): Promise<void> {
  const draft = draftOf(random)
  const headers = { 'idempotency-key': `"${crypto.randomUUID()}"` }
  const asking = { body: draft, headers, expected: [201] }
  const id = idIn(await person.insist('create', 'POST', '/api/notes', asking))
  if (id === undefined) return
  person.notes.set(id, { id, ...draft, sharedWith: new Set() })
  if (random() < 0.7) return
  const again = await person.ask('create again', 'POST', '/api/notes', asking)
  if (again !== undefined && idIn(again) !== id)
    client.fault(`create again: the same key made ${idIn(again)} after ${id}`)
}

async function read({ client, person }: Work, note: KnownNote): Promise<void> {
  const reply = await person.ask('read', 'GET', `/api/notes/${note.id}`, { expected: [200] })
  if (reply !== undefined && !isNote(reply.json, note))
    client.fault(`read: ${note.id} is not what was acknowledged`)
}

async function list({ client, person, random }: Work): Promise<void> {
  const limit = random() < 0.1 ? 100 : 20
  const reply = await person.ask('list', 'GET', `/api/notes?limit=${limit}`, { expected: [200] })
  for (const item of itemsIn(reply))
    if (
      person.unansweredCount === 0 &&
      memberOf(item, 'ownerId') === person.id &&
      !person.notes.has(String(memberOf(item, 'id')))
    )
      client.fault(`list: ${String(memberOf(item, 'id'))} is there, and was deleted or never made`)
}

async function change({ person, random }: Work, note: KnownNote): Promise<void> {
  const { title, body } = draftOf(random)
  const part = random() < 0.5 ? { title } : { title, body }
  const path = `/api/notes/${note.id}`
  const reply = await person.insist('change', 'PATCH', path, { body: part, expected: [200] })
  if (reply?.status === 200) Object.assign(note, part)
}

/** A change for a revision that is no longer there: nothing may be written. */
async function changeStale({ person }: Work, note: KnownNote): Promise<void> {
  await person.ask('change, stale', 'PATCH', `/api/notes/${note.id}`, {
    body: { title: 'never' },
    headers: { 'if-match': '"0"' },
    expected: [412],
  })
}

async function share({ person, people, random }: Work, note: KnownNote): Promise<void> {
  const other = people[Math.floor(random() * people.length)]
  if (other === undefined || other === person || other.id === '') return
  const path = `/api/notes/${note.id}/shares/${other.id}`
  if (note.sharedWith.has(other)) {
    const reply = await person.insist('unshare', 'DELETE', path, { expected: [204] })
    if (reply !== undefined) note.sharedWith.delete(other)
    return
  }
  const body = { permission: 'read' }
  const reply = await person.insist('share', 'PUT', path, { body, expected: [200] })
  if (reply?.status === 200) note.sharedWith.add(other)
}

/** Reads a note of somebody else. It may be taken back meanwhile. */
async function readShared({ person, people }: Work): Promise<void> {
  const shared = people.flatMap(({ notes }) =>
    [...notes.values()].filter(({ sharedWith }) => sharedWith.has(person)),
  )
  const [note] = shared
  if (note === undefined) return
  await person.ask('read, shared', 'GET', `/api/notes/${note.id}`, { expected: [200, 404] })
}

async function remove({ person, random }: Work, note: KnownNote): Promise<void> {
  person.notes.delete(note.id)
  const reply = await person.insist('delete', 'DELETE', `/api/notes/${note.id}`, { expected: [204] })
  // Seldom: who asks for forty ids in an hour that are not there is taken for somebody who tries ids, and rightly so.
  if (reply !== undefined && random() < 0.1)
    await person.ask('read, deleted', 'GET', `/api/notes/${note.id}`, { expected: [404] })
}

/**
 * Holds all notes of somebody against what was acknowledged: nothing lost, nothing changed, nothing back, and of others
 * exactly what they share. @returns how many were there
 */
export async function compareNotes({ client, person, people }: Work): Promise<number> {
  const found = new Map<string, unknown>()
  let cursor: unknown = ''
  while (typeof cursor === 'string') {
    const at = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page = await person.insist('compare', 'GET', `/api/notes?limit=100${at}`, { expected: [200] })
    if (page === undefined) {
      client.fault(`compare: the notes of ${person.email} could not be read`)
      return 0
    }
    for (const item of itemsIn(page)) found.set(String(memberOf(item, 'id')), item)
    cursor = memberOf(page.json, 'nextCursor')
  }
  const shared = people.flatMap(({ notes }) =>
    [...notes.values()].filter(({ sharedWith }) => sharedWith.has(person)),
  )
  const expected = [...person.notes.values(), ...shared]
  // A write that was turned away or not answered may have been carried out: then only what must be there is asked for.
  const isExact = [person, ...people].every(({ unansweredCount }) => unansweredCount === 0)
  for (const note of expected)
    if (isExact ? !isNote(found.get(note.id), note) : !found.has(note.id))
      client.fault(`compare: ${note.id} of ${person.email} is not as it was acknowledged`)
  if (isExact && found.size !== expected.length)
    client.fault(`compare: ${person.email} has ${found.size} notes instead of ${expected.length}`)
  return found.size
}

function isNote(json: unknown, note: KnownNote): boolean {
  return memberOf(json, 'title') === note.title && memberOf(json, 'body') === note.body
}

function idIn(reply: Reply | undefined): string | undefined {
  return reply?.status === 201 ? String(memberOf(reply.json, 'id')) : undefined
}

function itemsIn(reply: Reply | undefined): readonly unknown[] {
  const items: unknown = memberOf(reply?.json, 'items')
  return Array.isArray(items) ? items : []
}

function draftOf(random: () => number): { readonly title: string; readonly body: string } {
  const title = `note ${crypto.randomUUID()}`
  const chars = random() < 0.02 ? bodyMaxChars : Math.floor(random() * 2_000)
  return { title, body: title.repeat(Math.ceil(chars / title.length)).slice(0, chars) }
}
