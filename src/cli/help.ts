import type { Command, OptionSpec } from './command.ts'

const exitCodeHelp = `exit codes:
  0   fine
  1   findings, or a failure that nobody foresaw
  2   the command line is wrong
  78  the configuration is: a setting, or the application, which the boot gate refuses
`

const fileHelp = `FILE is the module whose default export is the app. Without it: the member holdfast.app of
package.json, else the first of app.ts, app.js, src/app.ts, src/app.js, dist/app.js.
`

/** The help of `holdfast` itself. */
export function generalHelp(commands: readonly Command[]): string {
  const rows = commands.map(({ name, operands, summary }): Row => [`${name} ${operands}`.trim(), summary])
  return `usage: holdfast COMMAND [options]

commands:
${columns(rows)}
  holdfast COMMAND --help says more about one of them.
  holdfast --version prints the version.

${fileHelp}
${exitCodeHelp}`
}

/** The help of one command. */
export function commandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, help: helpOption })
  const rows = options.map(([name, spec]): Row => [`--${name}${valueText(spec)}`, spec.help])
  const usage = ['holdfast', command.name, command.operands, '[options]']
    .filter((word) => word !== '')
    .join(' ')
  const file = command.operands.includes('FILE') ? `${fileHelp}\n` : ''
  return `usage: ${usage}

${command.summary}
${command.details}
options:
${columns(rows)}
${file}${exitCodeHelp}`
}

const helpOption: OptionSpec = { kind: 'flag', help: 'Print this.' }

type Row = readonly [head: string, text: string]

function columns(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([head]) => head.length))
  return rows.map(([head, text]) => `  ${head.padEnd(width)}  ${text}\n`).join('')
}

function valueText(spec: OptionSpec): string {
  switch (spec.kind) {
    case 'flag':
      return ''
    case 'choice':
      return ` ${spec.of.join('|')}`
    case 'text':
      return ` ${spec.what}`
    case 'file':
      return ' FILE'
    default:
      return spec satisfies never
  }
}
