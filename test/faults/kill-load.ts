import { memberOf } from '../kit/client.ts'
import {
  acknowledgeChange,
  bodyOf,
  type Draft,
  enter,
  type KnownNote,
  type Ledger,
  type Permission,
  revisionOf,
} from './kill-ledger.ts'
import type { KillableServer, KnownPerson } from './killed-server.ts'

/** A request to a server that may be killed meanwhile. */
export interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** What came of it. */
export interface Received {
  readonly status: number
  readonly tag: string | null
  readonly header: (name: string) => string | null
  /** `undefined` when there is none, and when the server was killed before all of it was here. */
  readonly json: unknown
}

/** Sends a request over one of the connections that are kept; `undefined` when no status came back. */
export async function send(
  server: KillableServer,
  person: KnownPerson,
  method: string,
  path: string,
  { headers = {}, body }: Sent = {},
): Promise<Received | undefined> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const response = await fetch(server.address + path, {
    method,
    headers: { authorization: `Bearer ${person.token}`, ...type, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => undefined)
  if (response === undefined) return undefined
  const text = await response.text().catch(() => '')
  return {
    status: response.status,
    tag: response.headers.get('etag'),
    header: (name) => response.headers.get(name),
    json: text === '' ? undefined : JSON.parse(text),
  }
}

/** What came of a write. What was refused or not answered may be there or not, but never by halves. */
type Outcome = 'acknowledged' | 'refused' | 'unanswered'

/** One of several who write at once. */
export interface Worker {
  readonly server: KillableServer
  readonly ledger: Ledger
  readonly person: KnownPerson
  /** A note that all of them may change. */
  readonly common: KnownNote
  /** Numbers from 0 to 1. */
  readonly random: () => number
  /** Begins every title, so that no two writes are alike. */
  readonly prefix: string
}

/** Sends writes, one after the other, until the server is gone; enters each before it is sent and when it is answered. */
export async function work(worker: Worker): Promise<void> {
  const own: KnownNote[] = []
  for (let count = 0; ; count += 1) {
    const title = `${worker.prefix}-${count}-${Math.floor(worker.random() * 256)
      .toString(16)
      .padStart(2, '0')}`
    const note = own[Math.floor(worker.random() * own.length)]
    const choice = worker.random()
    let outcome: Outcome
    if (note === undefined || choice < 0.35) outcome = await create(worker, title, own)
    else if (choice < 0.6) outcome = await change(worker, note, title)
    else if (choice < 0.72) outcome = await change(worker, worker.common, title)
    else if (choice < 0.94) outcome = await share(worker, note)
    else outcome = await remove(worker, note, own)
    if (outcome === 'unanswered') return
  }
}

async function create(
  { server, ledger, person, random }: Worker,
  title: string,
  own: KnownNote[],
): Promise<Outcome> {
  const key = random() < 0.5 ? title : undefined
  const draft: Draft = { owner: person, title, key, isAcknowledged: false }
  ledger.drafts.add(draft)
  const reply = await send(server, person, 'POST', '/api/notes', {
    headers: key === undefined ? {} : { 'idempotency-key': `"${key}"` },
    body: { title, body: bodyOf(title) },
  })
  const outcome = count(ledger, reply)
  draft.isAcknowledged = outcome === 'acknowledged'
  if (draft.isAcknowledged && reply?.json !== undefined) {
    ledger.drafts.delete(draft)
    own.push(enter(ledger, draft, String(memberOf(reply.json, 'id'))))
  }
  return outcome
}

async function change({ server, ledger, person }: Worker, note: KnownNote, title: string): Promise<Outcome> {
  note.unanswered.add(title)
  const body = { title, body: bodyOf(title) }
  const reply = await send(server, person, 'PATCH', `/api/notes/${note.id}`, { body })
  const outcome = count(ledger, reply)
  if (outcome === 'acknowledged' && reply !== undefined)
    acknowledgeChange(ledger, note, { title, revision: revisionOf(reply.tag) })
  return outcome
}

async function remove(
  { server, ledger, person }: Worker,
  note: KnownNote,
  own: KnownNote[],
): Promise<Outcome> {
  note.isDeleting = true
  own.splice(own.indexOf(note), 1)
  const outcome = count(ledger, await send(server, person, 'DELETE', `/api/notes/${note.id}`))
  if (outcome === 'acknowledged') {
    note.content = null
    note.isDeleting = false
  }
  return outcome
}

async function share({ server, ledger, person, random }: Worker, note: KnownNote): Promise<Outcome> {
  const others = server.people.filter(({ id }) => id !== person.id)
  const other = others[Math.floor(random() * others.length)] ?? person
  const known = note.shares.get(other) ?? { acknowledged: null, unanswered: undefined }
  note.shares.set(other, known)
  const isTakenBack = known.acknowledged !== null && random() < 0.4
  const permission: Permission = isTakenBack ? null : random() < 0.5 ? 'read' : 'write'
  known.unanswered = permission
  const reply = await send(
    server,
    person,
    isTakenBack ? 'DELETE' : 'PUT',
    `/api/notes/${note.id}/shares/${other.id}`,
    isTakenBack ? {} : { body: { permission } },
  )
  const outcome = count(ledger, reply)
  if (outcome === 'acknowledged') {
    known.acknowledged = permission
    known.unanswered = undefined
  }
  return outcome
}

/** Counts a write. A running server may ask for another try when too many wrote to one row; it has no other reason. */
function count(ledger: Ledger, reply: Received | undefined): Outcome {
  if (reply === undefined) {
    ledger.unanswered += 1
    return 'unanswered'
  }
  if (reply.status >= 200 && reply.status < 300) {
    ledger.acknowledged += 1
    return 'acknowledged'
  }
  if (reply.status === 503 && reply.header('retry-after') !== null) ledger.refused += 1
  else ledger.faults.push(`a write was refused with ${reply.status} ${JSON.stringify(reply.json)}`)
  return 'refused'
}
