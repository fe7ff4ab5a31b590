import { assert } from '../base/index.ts'
import type { Setting } from './setting.ts'
import { settingTable } from './table.ts'

/** One setting as the plan of an application holds it; the same shape as the plan's own type. */
export interface SettingSummary {
  readonly env: string
  readonly help: string
  readonly fallback: string
}

/** How the reference is written. */
export type ReferenceFormat = 'text' | 'markdown' | 'json'

/** Every setting without its value, in the order of the reference. */
export function settingsPlan(): readonly SettingSummary[] {
  return settingTable.map((setting) => ({
    env: setting.env,
    help: plain(setting.help),
    fallback: plain(fallbackText(setting)),
  }))
}

const afterword =
  'Any of them can be given as `NAME_FILE=path`, a file that holds the value (a mounted secret). Outside production `.env` of the working folder is read too; what is set in the environment wins. Every problem is reported at once, without a value, and the process exits with 78.'

/** The reference of all settings, made from the one table of them. */
export function environmentReference(format: ReferenceFormat): string {
  switch (format) {
    case 'text':
      return `${settingTable.map(textEntry).join('\n\n')}\n\n${wrap(plain(afterword), '')}\n`
    case 'markdown':
      return markdownTable()
    case 'json':
      return `${JSON.stringify(settingTable.map(jsonEntry), null, 2)}\n`
    default:
      return format satisfies never
  }
}

const startMarker = '<!-- environment:start -->'
const endMarker = '<!-- environment:end -->'

/**
 * A document with the table between its markers made anew.
 *
 * @returns `null` when the document has no such markers.
 */
export function withEnvironmentTable(document: string): string | null {
  const start = document.indexOf(startMarker)
  const end = document.indexOf(endMarker)
  if (start === -1 || end < start) return null
  return `${document.slice(0, start + startMarker.length)}\n${markdownTable()}${document.slice(end)}`
}

function fallbackText({ fallback }: Setting<unknown>): string {
  return fallback.kind === 'text' ? `\`${fallback.text}\`` : fallback.says
}

function plain(text: string): string {
  return text.replaceAll('`', '')
}

function textEntry(setting: Setting<unknown>): string {
  const lines = [
    setting.env,
    wrap(plain(setting.help), '  '),
    wrap(`takes: ${setting.unit}: ${plain(setting.range)}`, '  '),
    wrap(`default: ${plain(fallbackText(setting))}`, '  '),
    ...(setting.neededInProduction ? ['  required in production'] : []),
  ]
  return lines.join('\n')
}

function jsonEntry(setting: Setting<unknown>): Readonly<Record<string, string | boolean>> {
  const { name, env, unit, range, neededInProduction, help } = setting
  return {
    name,
    env,
    help: plain(help),
    unit,
    range: plain(range),
    fallback: plain(fallbackText(setting)),
    neededInProduction,
  }
}

function markdownTable(): string {
  const rows = settingTable.map((setting) => {
    const needed = setting.neededInProduction ? '; **required in production**' : ''
    const cells = [
      `\`${setting.env}\``,
      setting.help,
      `${setting.unit}: ${setting.range}`,
      `${fallbackText(setting)}${needed}`,
    ]
    assert(
      cells.every((cell) => !cell.includes('|')),
      'a cell of the settings table has no bar',
    )
    return `| ${cells.join(' | ')} |`
  })
  return `| variable | meaning | takes | default |\n|---|---|---|---|\n${rows.join('\n')}\n\n${afterword}\n`
}

const lineChars = 100

function wrap(text: string, indent: string): string {
  const lines: string[] = []
  let line = indent
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > lineChars && line.trim() !== '') {
      lines.push(line)
      line = indent
    }
    line += line.trim() === '' ? word : ` ${word}`
  }
  return [...lines, line].join('\n')
}
