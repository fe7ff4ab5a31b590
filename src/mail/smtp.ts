import { isIP, isIPv4 } from 'node:net'
import type { Transporter } from 'nodemailer'
import { assert, type Secret } from '../base/index.ts'
import { MailRefused, type MailTransport } from './transport.ts'

/** How long the steps of an attempt may take. */
export interface SmtpTimes {
  /** Looking the name up, connecting, TLS and the greeting together. */
  readonly connectMs: number
  /** Silence of the server after that. */
  readonly silenceMs: number
}

const defaultTimes: SmtpTimes = { connectMs: 10_000, silenceMs: 30_000 }
/** At least as many as the outbox has lanes: no mail waits for a connection while the time of its attempt runs. */
const connectionMaxCount = 4
const idleMs = 20_000

/**
 * A mail server by its URL. Off this machine TLS 1.2 or later is demanded and the certificate verified: `smtps://`
 * speaks it from the start, `smtp://` must offer STARTTLS, and a server that does not gets neither password nor mail.
 *
 * @param url `smtps://USER:PASSWORD@HOST:PORT`; user and password percent-encoded.
 * @param from The sender, `a@b.example` or `Name <a@b.example>`.
 * @see RFC 8314 §3; OWASP ASVS 5.0 §12.1.1, §12.3.1, §12.3.2, §13.2.6
 * @example smtpTransport(new Secret('smtps://notes:…@mail.example.com'), 'Notes <no-reply@example.com>')
 */
export function smtpTransport(url: Secret, from: string, times: SmtpTimes = defaultTimes): MailTransport {
  const sender = senderOf(from)
  let opened: Promise<Transporter> | undefined
  // Loaded for the first mail: a server starts without it.
  const open = async (): Promise<Transporter> => {
    const { createTransport } = await import('nodemailer')
    return createTransport({ ...connectionOf(url), ...timeoutsOf(times), ...poolOptions })
  }
  return {
    async send({ to, subject, text, html }, signal) {
      requireOneAddress(to)
      opened ??= open()
      const transporter = await opened
      try {
        await transporter.sendMail({
          from: sender,
          // As an object the address is one: what is in it cannot make two of it (CVE-2022-35924). The envelope is
          // given as well, so that nothing is read out of a header again.
          to: { name: '', address: to },
          envelope: { from: sender.address, to: [to] },
          subject,
          text,
          html,
          // Nobody's out-of-office reply shall come back (RFC 3834 §5).
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal,
        })
      } catch (error) {
        throw isFinal(error) ? new MailRefused(error) : error
      }
    },
    close: () => void opened?.then((transporter) => transporter.close({ force: true })),
  }
}

/** How a server is reached. */
export interface SmtpConnection {
  readonly host: string
  readonly port: number
  /** TLS from the first byte. */
  readonly secure: boolean
  /** No mail without STARTTLS. */
  readonly requireTLS: boolean
  /** Plain even where STARTTLS is offered. */
  readonly ignoreTLS: boolean
  readonly tls: {
    readonly minVersion: 'TLSv1.2'
    readonly rejectUnauthorized: true
    readonly servername?: string
  }
  readonly auth?: { readonly user: string; readonly pass: string }
}

/** What a URL says about the connection. */
export function connectionOf(url: Secret): SmtpConnection {
  const { protocol, hostname, port, username, password } = new URL(url.reveal())
  const isImplicit = protocol === 'smtps:'
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const isHere = isLoopback(host)
  const hasPassword = username !== ''
  return {
    // Not looked up: whoever answers for `localhost` in the DNS would get what is sent without TLS.
    host: host === 'localhost' ? '127.0.0.1' : host,
    port: port === '' ? (isImplicit ? 465 : 587) : Number(port),
    secure: isImplicit,
    requireTLS: !isImplicit && !isHere,
    // A relay on this machine often offers STARTTLS under a certificate that it has made itself.
    ignoreTLS: !isImplicit && isHere && !hasPassword,
    tls: {
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      ...(isIP(host) === 0 ? { servername: host } : {}),
    },
    ...(hasPassword ? { auth: { user: decoded(username), pass: decoded(password) } } : {}),
  }
}

/**
 * Whether a host is this machine for certain, by how it is written: only there may mail travel without TLS.
 *
 * @example isLoopback('127.0.0.1.evil.example') // false
 */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

const poolOptions = {
  pool: true,
  maxConnections: connectionMaxCount,
  // Once more where the server has closed an idle connection meanwhile; everything else is for the outbox to repeat.
  maxRequeues: 1,
  idleTimeout: idleMs,
  // A mail is text: it takes nothing from files or from the network.
  disableFileAccess: true,
  disableUrlAccess: true,
} as const

function timeoutsOf({ connectMs, silenceMs }: SmtpTimes) {
  return {
    dnsTimeout: connectMs,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: silenceMs,
  }
}

function senderOf(from: string): { readonly name: string; readonly address: string } {
  const { name = '', address = from } = /^(?<name>[^<>]*?) *<(?<address>[^<>]+)>$/.exec(from)?.groups ?? {}
  assert(isOneAddress(address), 'the sender of mails is one address')
  return { name, address }
}

/** @throws MailRefused for anything but one plain address, whatever has looked at it before */
function requireOneAddress(to: string): void {
  if (!isOneAddress(to))
    throw new MailRefused(new TypeError('the recipient is not exactly one plain address'))
}

// ASCII alone: a full-width @ is normalised to a plain one by some server on the way (CVE-2026-73420).
function isOneAddress(text: string): boolean {
  return text.length <= 254 && /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]+$/.test(text)
}

// A password with a percent sign that is not encoded is meant as it stands.
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** RFC 4954 §6: log in first, too weak a mechanism. The configuration may be mended while the mail waits. */
const loginCodes: ReadonlySet<number> = new Set([530, 534, 535, 538])

/** A lasting refusal of the recipient or of the text; one of the sender or the login may be mended. @see RFC 5321 §4.2.1 */
function isFinal(error: unknown): boolean {
  if (!(error instanceof Error) || !('responseCode' in error) || !('command' in error)) return false
  const { responseCode, command } = error
  if (typeof responseCode !== 'number' || responseCode < 500 || loginCodes.has(responseCode)) return false
  // 503 says that the conversation went wrong, not that the mail did.
  return responseCode !== 503 && (command === 'RCPT TO' || command === 'DATA')
}
