import { hostname } from 'node:os'
import type { EventLevel } from '../../events/index.ts'
import { shownAddress, shownId } from '../words.ts'
import { type AlertChannel, type AlertMessage, allNews } from './channel.ts'
import { factsOf, some } from './facts.ts'
import { deliverDatagram, deliverStream, type SyslogTarget } from './syslog-wire.ts'

/** A syslog receiver (RFC 5424). */
export function syslogChannel(target: SyslogTarget, source: string): AlertChannel {
  const host = headerWord(hostname(), 255)
  return {
    name: 'syslog',
    news: allNews,
    async send(message, signal) {
      const line = Buffer.from(syslogMessage(message, { source, host, processId: process.pid }))
      if (target.protocol === 'udp') await deliverDatagram(target, line)
      else await deliverStream(target, line, signal)
    },
  }
}

/** Where a message comes from. */
export interface SyslogOrigin {
  /** What is attacked: `notes.example.com`. */
  readonly source: string
  /** The name of this machine. */
  readonly host: string
  /** Of this process; a text, because that is all it is here. */
  readonly processId: string | number
}

// RFC 5424 §6.2.1: 13 is "log audit".
const facility = 13
const severityOf: Readonly<Record<EventLevel, number>> = { critical: 2, warn: 4, info: 6 }

/**
 * One message: header, structured data, text. `32473` is the enterprise number of examples (RFC 5612), because
 * Holdfast has none of its own.
 *
 * @see RFC 5424 §6
 * @example '<106>1 2026-11-21T07:05:00.000Z node-1 holdfast 4711 alert-opened [alert@32473 id="…" severity="critical"] New critical alert: …'
 */
export function syslogMessage(message: AlertMessage, { source, host, processId }: SyslogOrigin): string {
  const { alert, news, nowMs, id } = message
  const { headline, summary } = factsOf(message)
  const priority = facility * 8 + severityOf[alert.severity]
  const header = [
    `<${priority}>1`,
    new Date(nowMs).toISOString(),
    host,
    'holdfast',
    headerWord(String(processId), 128),
    `alert-${news}`,
  ]
  const data: readonly (readonly [string, string])[] = [
    ['id', alert.id],
    ['delivery', id],
    ['state', alert.state],
    ['severity', alert.severity],
    ['count', String(alert.count)],
    ['detectors', alert.detectors.join(',')],
    ['first', alert.firstAt],
    ['last', alert.lastAt],
    ['addresses', some(alert.samples.addresses, shownAddress)],
    ['accounts', some(alert.samples.accounts, shownId)],
    ['source', source],
  ]
  const parameters = data.map(([name, value]) => `${name}="${parameterValue(value)}"`)
  return `${header.join(' ')} [alert@32473 ${parameters.join(' ')}] ${text(`${headline}. ${summary}`)}`
}

const valueMaxChars = 400

/** RFC 5424 §6.3.3: `"`, `\` and `]` would end a value. Control characters would end a line in what is not strict. */
function parameterValue(value: string): string {
  return value
    .slice(0, valueMaxChars)
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/["\\\]]/g, (character) => `\\${character}`)
}

/** RFC 5424 §6.4: a text that is more than ASCII begins with a byte order mark. */
function text(words: string): string {
  return /^[\x20-\x7e]*$/.test(words) ? words : `\ufeff${words}`
}

/** RFC 5424 §6: what stands in a header is printable ASCII without blanks, and `-` for nothing. */
function headerWord(word: string, maxChars: number): string {
  const printable = word.replace(/[^\x21-\x7e]+/g, '').slice(0, maxChars)
  return printable === '' ? '-' : printable
}
