import { MailRefused } from './transport.ts'

/** What became of a mail that was not sent. */
export interface MailFate {
  /** The kind of its intent. */
  readonly kind: string
  /** How often it was tried, this time included. */
  readonly attemptCount: number
  readonly isGivenUp: boolean
}

/**
 * A mail that was not sent, as it may be logged: which kind, and why. Not to whom, and not what the mail server said,
 * which likes to repeat the address.
 *
 * @see OWASP ASVS 5.0 §16.2.5, §14.2.4
 */
export class MailFailure extends Error {
  readonly kind: string
  readonly attemptCount: number
  readonly isGivenUp: boolean

  constructor({ kind, attemptCount, isGivenUp }: MailFate, why: unknown) {
    const ending = isGivenUp ? 'It is given up.' : 'It is tried again.'
    super(`mail ${kind}, attempt ${attemptCount}: ${reasonOf(why)}. ${ending}`)
    this.name = 'MailFailure'
    this.kind = kind
    this.attemptCount = attemptCount
    this.isGivenUp = isGivenUp
    // Where it happened: of our own faults that is what one needs to know.
    if (why instanceof Error) this.stack = `${this.name}: ${this.message}\n${framesOf(why)}`
  }
}

/** Codes of errors that are about the connection: their words name hosts and certificates, not people. */
const connectionCodes: ReadonlySet<unknown> = new Set(['ECONNECTION', 'EDNS', 'ESOCKET', 'ETIMEDOUT', 'ETLS'])

function reasonOf(why: unknown): string {
  if (typeof why === 'string') return why
  if (why instanceof MailRefused) return `refused for good, ${reasonOf(why.cause)}`
  if (!(why instanceof Error)) return 'something that is no error was thrown'
  const code = memberOf(why, 'code')
  const response = memberOf(why, 'response')
  const responseCode = memberOf(why, 'responseCode')
  if (typeof responseCode === 'number') {
    // RFC 3463: 5.1.1 says "no such mailbox", in figures.
    const status = /^\d{3}[ -](?<status>[245]\.\d{1,3}\.\d{1,3})\b/.exec(String(response))?.groups?.['status']
    const figures = status === undefined ? String(responseCode) : `${responseCode} ${status}`
    return `the mail server answered ${figures} to ${String(memberOf(why, 'command'))}`
  }
  if (response === undefined && connectionCodes.has(code))
    return `${String(code)}, ${why.message.replace(/\S*@\S*/g, '[address]')}`
  return typeof code === 'string' ? `${why.name} ${code}` : why.name
}

function memberOf(error: Error, name: string): unknown {
  return Reflect.get(error, name)
}

// The lines of a stack without the message at its head, which may be of any text.
function framesOf(error: Error): string {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line))
  return frames.join('\n')
}
