import type { AlertNews, AlertSamples } from '../alert.ts'
import { plainSentence, plainWords, shownAddress, shownId, shownRoute } from '../words.ts'
import type { AlertMessage } from './channel.ts'

/** What people are told, in words that are harmless wherever they are shown. */
export interface AlertFacts {
  /** `New critical alert: Password spraying` */
  readonly headline: string
  readonly summary: string
  /** Names and values, in the order in which they are read. */
  readonly lines: readonly (readonly [string, string])[]
}

const shownCount = 5
const titleMaxChars = 200
const sentenceMaxChars = 500

const headlines: Readonly<Record<AlertNews, (severity: string) => string>> = {
  opened: (severity) => `New ${severity} alert`,
  grown: (severity) => `Alert has grown, now ${severity}`,
  acknowledged: () => 'Alert acknowledged',
  closed: () => 'Alert closed',
}

/**
 * An alert in words. Nothing in them makes a link, a mention, a new line or a change of colour, whatever an attacker
 * has called themselves.
 *
 * @see OWASP ASVS 5.0 §1.2.1, §16.4.1
 */
export function factsOf({ news, alert }: AlertMessage): AlertFacts {
  const { id, severity, count, samples } = alert
  const title = plainSentence(alert.title, titleMaxChars)
  const said = alert.reason === null ? '' : plainSentence(alert.reason, sentenceMaxChars)
  const lines: readonly (readonly [string, string])[] = [
    ['Findings', String(count)],
    ['Detectors', alert.detectors.map((name) => plainWords(name, titleMaxChars)).join(', ')],
    ['Time', `${alert.firstAt} to ${alert.lastAt}`],
    ...shownSamples(samples),
    ['Reason', said],
    ['Alert', shownId(id)],
  ]
  return {
    headline: `${headlines[news](severity)}: ${title}`,
    summary: plainSentence(alert.summary, sentenceMaxChars),
    lines: lines.filter(([, value]) => value !== ''),
  }
}

function shownSamples({ addresses, accounts, routes }: AlertSamples): readonly (readonly [string, string])[] {
  return [
    ['Addresses', some(addresses, shownAddress)],
    ['Accounts', some(accounts, shownId)],
    ['Routes', some(routes, shownRoute)],
  ]
}

/** The first few of them, and how many more there are. */
export function some(values: readonly string[], shown: (text: string) => string): string {
  const first = values.slice(0, shownCount).map(shown).join(', ')
  const more = values.length - shownCount
  return more > 0 ? `${first} and ${more} more` : first
}
