import { memberOf } from '../kit/client.ts'
import type { KnownPerson } from './killed-server.ts'

/** What somebody may do with a note that is shared with them. */
export type Permission = 'read' | 'write' | null

/** What is known of a note from the replies so far. */
export interface KnownNote {
  readonly id: string
  readonly owner: KnownPerson
  /** The newest acknowledged content; `null` once a deletion was acknowledged. */
  content: Version | null
  /** Titles of changes that were sent and not answered. */
  readonly unanswered: Set<string>
  /** True while a deletion is not answered. */
  isDeleting: boolean
  readonly shares: Map<KnownPerson, KnownShare>
}

/** A state of a note. */
export interface Version {
  /** The revision in its entity tag; the first is 1. */
  readonly revision: number
  /** Different for every write; the body follows from it. */
  readonly title: string
}

/** What is known of a share. */
export interface KnownShare {
  acknowledged: Permission
  /** What an unanswered request asked for; `undefined` when there is none. */
  unanswered: Permission | undefined
}

/** A note that was sent and not answered with its id. */
export interface Draft {
  readonly owner: KnownPerson
  readonly title: string
  /** The idempotency key that it was sent with. */
  readonly key: string | undefined
  /** True when the status of the reply came and its body did not: it must be there. */
  isAcknowledged: boolean
}

/** What one database must hold, and what was counted on the way. */
export interface Ledger {
  readonly notes: Map<string, KnownNote>
  readonly drafts: Set<Draft>
  /** Writes that a reply with a 2xx status has acknowledged. */
  acknowledged: number
  /** Writes that a running server asked to send again. */
  refused: number
  /** Writes without a reply when the server was killed. */
  unanswered: number
  /** Unanswered writes that were there, whole, afterwards. */
  found: number
  /** Each acknowledged write that is not there, and whatever is there by halves or was never sent. */
  readonly faults: string[]
}

/** A ledger of an empty database. */
export function emptyLedger(): Ledger {
  return {
    notes: new Map(),
    drafts: new Set(),
    acknowledged: 0,
    refused: 0,
    unanswered: 0,
    found: 0,
    faults: [],
  }
}

/** The body that belongs to a title: from nothing to some pages of the database file. */
export function bodyOf(title: string): string {
  const size = Number.parseInt(title.slice(-2), 16)
  return title.repeat(size % 16 === 0 ? 300 : size >> 3)
}

/** Enters a new note. */
export function enter(ledger: Ledger, { owner, title }: Draft, id: string): KnownNote {
  const content = { revision: 1, title }
  const note: KnownNote = {
    id,
    owner,
    content,
    unanswered: new Set(),
    isDeleting: false,
    shares: new Map(),
  }
  ledger.notes.set(id, note)
  return note
}

/** Enters an acknowledged change. Two of the same revision mean that one has overwritten the other unseen. */
export function acknowledgeChange(ledger: Ledger, note: KnownNote, change: Version): void {
  note.unanswered.delete(change.title)
  if (note.content?.revision === change.revision)
    ledger.faults.push(`${note.id}: two changes were acknowledged as revision ${change.revision}`)
  if (note.content !== null && note.content.revision < change.revision) note.content = change
}

/** Holds what is found of a note against what is known of it, and takes it as known from there on. */
export function judgeNote(ledger: Ledger, note: KnownNote, found: Version | null): void {
  const { content, unanswered, isDeleting } = note
  const isAcknowledged = found?.title === content?.title && found?.revision === content?.revision
  const isUnansweredChange =
    found !== null &&
    content !== null &&
    unanswered.has(found.title) &&
    found.revision > content.revision &&
    found.revision <= content.revision + unanswered.size
  const isUnanswered = isUnansweredChange || (found === null && isDeleting)
  if (isUnanswered) ledger.found += 1
  else if (!isAcknowledged)
    ledger.faults.push(
      `note ${note.id}: ${textOf(content)} was acknowledged, ` +
        `${[...unanswered, ...(isDeleting ? ['its deletion'] : [])].join(', ') || 'nothing'} was not answered, ` +
        `found ${textOf(found)}`,
    )
  note.content = found
  unanswered.clear()
  note.isDeleting = false
}

/** Holds what is found of a share against what is known of it, and takes it as known from there on. */
export function judgeShare(ledger: Ledger, note: KnownNote, share: KnownShare, found: Permission): void {
  const { acknowledged, unanswered } = share
  const expected = note.content === null ? null : acknowledged
  if (found === unanswered && found !== expected) ledger.found += 1
  else if (found !== expected)
    ledger.faults.push(`share of ${note.id}: ${expected} was acknowledged, found ${found}`)
  share.acknowledged = found
  share.unanswered = undefined
}

/** Reads a note out of a reply. Adds a fault when its title and its body are of two different writes. */
export function versionOf(ledger: Ledger, json: unknown, tag: string | null): Version {
  const title = String(memberOf(json, 'title'))
  if (memberOf(json, 'body') !== bodyOf(title)) ledger.faults.push(`${title}: its body is of another write`)
  return { title, revision: revisionOf(tag) }
}

/** The revision in a strong entity tag. */
export function revisionOf(tag: string | null): number {
  return Number(tag?.slice(1, -1) ?? Number.NaN)
}

function textOf(version: Version | null): string {
  return version === null ? 'nothing' : `${version.title} (revision ${version.revision})`
}
