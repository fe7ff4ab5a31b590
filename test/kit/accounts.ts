import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { memberOf } from './client.ts'
import type { EngineKind } from './databases.ts'
import { type NotesServer, startNotes } from './notes-server.ts'

/**
 * Starts the example with real accounts. Each request comes from an address of its own, so that the limits by address
 * are not what a test of something else is about.
 */
export async function startAccounts(engine: EngineKind): Promise<NotesServer> {
  const notes = await startNotes(undefined, engine, null, { TRUSTED_PROXIES: '127.0.0.1' })
  let count = 0
  return {
    ...notes,
    ask(method, path, asking = {}) {
      count += 1
      const from = `10.${(count >> 16) & 255}.${(count >> 8) & 255}.${count & 255}`
      return notes.ask(method, path, { ...asking, headers: { 'x-forwarded-for': from, ...asking.headers } })
    },
  }
}

/** A mail that was sent: a file of the outbox. */
export interface SentMail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly links: readonly string[]
}

/** Every mail so far, oldest first. */
export async function mailsOf({ server }: NotesServer): Promise<readonly SentMail[]> {
  const folder = join(server.settings.dataDir, 'outbox')
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort()
  return await Promise.all(
    names.map(async (name) => mailOf(JSON.parse(await readFile(join(folder, name), 'utf8')))),
  )
}

function mailOf(json: unknown): SentMail {
  const links = memberOf(json, 'links')
  return {
    to: String(memberOf(json, 'to')),
    subject: String(memberOf(json, 'subject')),
    text: String(memberOf(json, 'text')),
    links: Array.isArray(links) ? links.map(String) : [],
  }
}

/** Waits for the mail of a number to an address, counted from 1. */
export async function mailTo(notes: NotesServer, to: string, count = 1): Promise<SentMail> {
  return await awaitedMail(notes, `no mail ${count} to ${to}`, (mails) =>
    mails.filter((one) => one.to === to).at(count - 1),
  )
}

/** Waits for a mail by its subject: mails that are due at the same time go out in any order. */
export async function mailAbout(notes: NotesServer, to: string, subject: RegExp): Promise<SentMail> {
  return await awaitedMail(notes, `no mail about ${subject} to ${to}`, (mails) =>
    mails.find((one) => one.to === to && subject.test(one.subject)),
  )
}

async function awaitedMail(
  notes: NotesServer,
  missing: string,
  find: (mails: readonly SentMail[]) => SentMail | undefined,
): Promise<SentMail> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const mail = find(await mailsOf(notes))
    if (mail !== undefined) return mail
    if (Date.now() > deadline) throw new Error(missing)
    await delay(10)
  }
}

/** The token in the link of a mail. */
export function tokenIn({ links }: SentMail): string {
  const found = links.flatMap((link) => /#token=([A-Za-z0-9_-]+)$/.exec(link)?.[1] ?? [])
  const [token] = found
  if (token === undefined || found.length !== 1) throw new Error('the mail has not exactly one token')
  return token
}

/** Somebody with an account who is logged in with a bearer token. */
export interface LoggedIn {
  readonly email: string
  readonly password: string
  readonly accessToken: string
  readonly refreshToken: string
  /** The header that proves it. */
  readonly as: { readonly authorization: string }
}

/** A password that the policy takes. */
export const goodPassword = 'violet anchors hum softly'

/** Registers somebody and uses the link of the mail. */
export async function makeAccount(
  notes: NotesServer,
  email: string,
  password: string = goodPassword,
): Promise<void> {
  const registered = await notes.ask('POST', '/api/auth/register', { body: { email, password } })
  if (registered.status !== 202)
    throw new Error(`registering gave ${registered.status} ${registered.content}`)
  const token = tokenIn(await mailTo(notes, email))
  const verified = await notes.ask('POST', '/api/auth/verify-email', { body: { token } })
  if (verified.status !== 204) throw new Error(`verifying gave ${verified.status} ${verified.content}`)
}

/** Logs somebody in. */
export async function logIn(
  notes: NotesServer,
  email: string,
  password: string = goodPassword,
): Promise<LoggedIn> {
  const reply = await notes.ask('POST', '/api/auth/login', { body: { email, password } })
  if (reply.status !== 200) throw new Error(`logging in gave ${reply.status} ${reply.content}`)
  const accessToken = reply.text('accessToken')
  const as = { authorization: `Bearer ${accessToken}` }
  return { email, password, accessToken, refreshToken: reply.text('refreshToken'), as }
}

/** Registers, verifies and logs in. */
export async function enter(notes: NotesServer, email: string): Promise<LoggedIn> {
  await makeAccount(notes, email)
  return await logIn(notes, email)
}
