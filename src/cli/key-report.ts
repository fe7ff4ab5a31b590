import type {
  Destruction,
  KeyListing,
  KeysReport,
  ReencryptionProgress,
  SigningRotation,
} from '../keys/index.ts'
import { exitCodes } from './fault.ts'
import { counted, table } from './table.ts'
import type { Terminal } from './terminal.ts'

/** What a command about keys says, and how it ends. */
export interface KeyAnswer {
  readonly text: string
  readonly exitCode: number
}

/** The answer for a reader. */
export function keyAnswer(report: KeysReport, terminal: Terminal): KeyAnswer {
  switch (report.action) {
    case 'list':
      return listAnswer(report, terminal)
    case 'rotate':
      return {
        text:
          `Key ${report.id} seals new values from ${report.activeFrom} on; every node knows it by then.\n` +
          `${counted(report.rewrappedCount, 'key')} wrapped anew: HOLDFAST_SECRET_PREVIOUS is not needed for them any more.\n` +
          signingText(report.signing) +
          'Next: holdfast keys reencrypt\n',
        exitCode: exitCodes.fine,
      }
    case 'reencrypt': {
      const { doneCount, totalCount, failedCount, keyId, failures, isComplete, rowsPerSecond } = report
      const head = `${doneCount.toLocaleString('en')} of ${counted(totalCount, 'row')} sealed anew under ${keyId}, ${rowsPerSecond.toLocaleString('en')} rows per second.\n`
      const left = failures.map(
        ({ table, key, column, reason }) =>
          `  ${table} ${JSON.stringify(key)}${column === null ? '' : ` ${column}`}: ${reason}\n`,
      )
      const more = failedCount > failures.length ? `  and ${failedCount - failures.length} more\n` : ''
      const failedText =
        failedCount === 0 ? '' : `${counted(failedCount, 'place')} left as found:\n${left.join('')}${more}`
      const stopped = isComplete ? '' : 'Stopped before the end. To go on: holdfast keys reencrypt\n'
      const isFine = failedCount === 0 && isComplete
      return { text: head + failedText + stopped, exitCode: isFine ? exitCodes.fine : exitCodes.findings }
    }
    case 'destroy':
      return destroyAnswer(report.id, report.outcome)
    default:
      return report satisfies never
  }
}

function signingText(signing: SigningRotation | null): string {
  if (signing === null) return ''
  const { id, activeFrom, isCompromised } = signing
  const text = `Key ${id} signs access tokens from ${activeFrom} on`
  return isCompromised
    ? `${text}; those that were signed before are refused within a minute.\n`
    : `${text}; the one before verifies until its last token is past its time.\n`
}

/** One line about how far it is. */
export function progressLine({
  doneCount,
  totalCount,
  failedCount,
  rowsPerSecond,
}: ReencryptionProgress): string {
  const percent =
    totalCount === 0 ? 100 : Math.min(100, Math.floor(((doneCount + failedCount) / totalCount) * 100))
  const failedText = failedCount === 0 ? '' : `, ${failedCount} failed`
  return `${percent} %  ${doneCount.toLocaleString('en')} of ${counted(totalCount, 'row')}${failedText}, ${rowsPerSecond.toLocaleString('en')} per second`
}

function listAnswer({ keys, uses }: KeyListing, terminal: Terminal): KeyAnswer {
  const live = new Set(keys.filter(({ state }) => state !== 'destroyed').map(({ id }) => id))
  const rows = keys.map(({ id, state, createdAt, activeFrom, retiredAt, destroyedAt, valueCount }) => [
    id,
    state,
    String(valueCount),
    createdAt,
    activeFrom,
    destroyedAt ?? retiredAt ?? '',
  ])
  const head = ['key', 'state', 'values', 'created', 'seals from', 'retired or destroyed']
  const columns = uses.map(({ table, column, keyId, valueCount }) => [
    `${table}.${column}`,
    keyId ?? 'not encrypted',
    String(valueCount),
  ])
  const strays = uses.filter(({ keyId }) => keyId === null || !live.has(keyId))
  const strayText = strays.map(
    ({ table, column, keyId, valueCount }) =>
      `${terminal.emphasise('yellow', 'warning')}  ${table}.${column}: ${counted(valueCount, 'value')} ${keyId === null ? 'not encrypted' : `under ${keyId}, which is not there`}\n`,
  )
  const text = [table([head, ...rows]), table([['column', 'key', 'values'], ...columns]), ...strayText].join(
    '\n',
  )
  return { text, exitCode: strays.length === 0 ? exitCodes.fine : exitCodes.findings }
}

function destroyAnswer(id: string, outcome: Destruction): KeyAnswer {
  switch (outcome.kind) {
    case 'destroyed':
      return { text: `Key ${id} is destroyed.\n`, exitCode: exitCodes.fine }
    case 'gone':
      return { text: `Key ${id} was destroyed before.\n`, exitCode: exitCodes.fine }
    case 'unknown':
      return { text: `There is no key ${id}.\n`, exitCode: exitCodes.findings }
    case 'active':
      return {
        text: `Key ${id} is the newest one: it seals, or will. First: holdfast keys rotate\n`,
        exitCode: exitCodes.findings,
      }
    case 'too-early':
      return {
        text: `A node may still seal under ${id}. It can be destroyed from ${outcome.until} on.\n`,
        exitCode: exitCodes.findings,
      }
    case 'in-use':
      return {
        text: `${counted(outcome.valueCount, 'value')} still under ${id}. First: holdfast keys reencrypt\n`,
        exitCode: exitCodes.findings,
      }
    default:
      return outcome satisfies never
  }
}
