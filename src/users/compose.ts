import { z } from 'zod'
import type { Letter, MailIntent } from '../mail/index.ts'
import type { AccountsParts } from './parts.ts'
import { accountByEmail, accountById } from './store.ts'
import { pendingRegistration } from './verify-email.ts'

/** What composing needs of the parts of accounts. */
export interface Composing extends Pick<AccountsParts, 'db' | 'singleUse'> {
  /** `https://notes.example.com`, as links begin. */
  readonly origin: () => string
  /** What a device is called: "Firefox on Linux". */
  readonly deviceName: (userAgent: string) => string
}

/** How long the links work, in minutes. */
export const linkMinutes = { verify: 60, reset: 30, change: 60 } as const

const toEmail = z.object({ email: z.string() })
const toUser = z.object({ userId: z.string() })
const changed = toUser.extend({ at: z.string() })

/**
 * Makes the letter of an intent, each time that it is about to be sent: only here is looked whether an address has an
 * account, away from any request, and only here tokens are made, so that none lies in the table of mails.
 *
 * @returns `null` when there is nobody to write to
 */
export async function compose(parts: Composing, intent: MailIntent): Promise<Letter | null> {
  const make = Object.hasOwn(composers, intent.kind) ? composers[intent.kind] : undefined
  return make === undefined ? null : await make(parts, intent.data)
}

const alertMail = z.object({ to: z.string(), subject: z.string(), lines: z.array(z.string()) })

type Composer = (parts: Composing, data: unknown) => Promise<Letter | null>

const composers: Readonly<Record<string, Composer>> = {
  async registration({ db, singleUse, origin }, data) {
    const registration = pendingRegistration.parse(data)
    const { email } = registration
    if ((await accountByEmail(db, email)) !== null) return alreadyRegistered(email, origin())
    const lifetimeMs = linkMinutes.verify * 60_000
    const purpose = 'verify-email'
    const token = await singleUse.issue(db, { purpose, subject: email, lifetimeMs, data: registration })
    const values = { link: link(origin(), 'verify-email', token), minutes: linkMinutes.verify }
    return { to: email, template: 'verify-email', values }
  },
  async 'password-forgotten'({ db, singleUse, origin }, data) {
    const account = await accountByEmail(db, toEmail.parse(data).email)
    if (account === null || account.disabledAt !== null) return null
    const lifetimeMs = linkMinutes.reset * 60_000
    const token = await singleUse.issue(db, { purpose: 'reset-password', subject: account.id, lifetimeMs })
    const values = { link: link(origin(), 'reset-password', token), minutes: linkMinutes.reset }
    return { to: account.email, template: 'reset-password', values }
  },
  async 'new-email'({ db, singleUse, origin }, data) {
    const { userId, email } = toUser.extend({ email: z.string() }).parse(data)
    const account = await accountById(db, userId)
    if (account === null || account.disabledAt !== null) return null
    const holder = await accountByEmail(db, email)
    if (holder !== null) return alreadyRegistered(email, origin())
    const lifetimeMs = linkMinutes.change * 60_000
    const request = { purpose: 'change-email', subject: userId, lifetimeMs, data: { email } } as const
    const token = await singleUse.issue(db, request)
    const values = { link: link(origin(), 'change-email', token), minutes: linkMinutes.change }
    return { to: email, template: 'confirm-new-email', values }
  },
  async 'password-changed'({ db, origin }, data) {
    const { userId, at } = changed.parse(data)
    const account = await accountById(db, userId)
    if (account === null) return null
    return {
      to: account.email,
      template: 'password-changed',
      values: { at, link: page(origin(), 'forgot-password') },
    }
  },
  async 'email-changed'(_parts, data) {
    const { oldEmail, at } = changed.extend({ oldEmail: z.string() }).parse(data)
    return { to: oldEmail, template: 'email-changed', values: { at } }
  },
  async 'new-device'({ db, origin, deviceName }, data) {
    const shape = changed.extend({ address: z.string(), userAgent: z.string() })
    const { userId, at, address, userAgent } = shape.parse(data)
    const account = await accountById(db, userId)
    if (account === null) return null
    const values = { at, address, device: deviceName(userAgent), link: page(origin(), 'forgot-password') }
    return { to: account.email, template: 'new-device', values }
  },
  async 'sign-in-disabled'({ db, origin }, data) {
    const account = await accountByEmail(db, toEmail.parse(data).email)
    if (account === null || account.disabledAt !== null) return null
    return {
      to: account.email,
      template: 'sign-in-disabled',
      values: { link: page(origin(), 'forgot-password') },
    }
  },
  async 'roles-changed'({ db }, data) {
    const { userId, at } = changed.parse(data)
    const account = await accountById(db, userId)
    if (account === null) return null
    return { to: account.email, template: 'roles-changed', values: { at, roles: account.roles } }
  },
  async 'account-deleted'(_parts, data) {
    const { email, at } = toEmail.extend({ at: z.string() }).parse(data)
    return { to: email, template: 'account-deleted', values: { at } }
  },
  async alert(_parts, data) {
    const { to, subject, lines } = alertMail.parse(data)
    return { to, template: 'alert', values: { subject, lines } }
  },
}

function alreadyRegistered(email: string, origin: string): Letter {
  const values = { signIn: page(origin, 'sign-in'), reset: page(origin, 'forgot-password') }
  return { to: email, template: 'already-registered', values }
}

function page(origin: string, name: string): string {
  return `${origin}/account/${name}`
}

// In the fragment, which a browser sends to nobody: no log, no proxy and no Referer gets to see it (ASVS 14.2.1).
function link(origin: string, name: string, token: string): string {
  return `${page(origin, name)}#token=${token}`
}
