import { open } from 'node:fs/promises'
import {
  type Account,
  type AccountOrder,
  type AccountsParts,
  accountByEmail,
  canonicalEmail,
  createAccount,
  eachAccount,
  type From,
  type ImportFormat,
  importAccounts,
  orderAccount,
  type RefusedRow,
  revokeSessions,
} from '../users/index.ts'
import { exitCodes, UsageFault } from './fault.ts'
import { quoted } from './parse-call.ts'
import { progressOn, stoppable } from './progress.ts'
import { counted, table } from './table.ts'
import type { Terminal } from './terminal.ts'

/** How an action answers. */
export interface Answering {
  readonly terminal: Terminal
  readonly isJson: boolean
}

const operator = { kind: 'operator' } as const
// Nobody came over the network.
const here: From = {
  address: '127.0.0.1',
  userAgent: 'holdfast users',
  device: undefined,
  requestId: 'command-line',
}

/** Prints every account, oldest first: a table, or a JSON object on each line. */
export async function listAll(parts: AccountsParts, { terminal, isJson }: Answering): Promise<number> {
  let count = 0
  for await (const page of eachAccount(parts.db)) {
    if (isJson) for (const account of page) terminal.out(`${JSON.stringify(factsOf(account))}\n`)
    else terminal.out(table([...(count === 0 ? [head] : []), ...page.map(rowOf)]))
    count += page.length
  }
  if (!isJson && count === 0) terminal.out('There are no accounts.\n')
  return exitCodes.fine
}

const head = ['id', 'email'.padEnd(32), 'roles', 'created', 'last login', 'standing']

function rowOf({ id, email, roles, createdAt, lastLoginAt, disabledAt }: Account): readonly string[] {
  const day = (time: string | null): string => time?.slice(0, 10) ?? 'never'
  const standing = disabledAt === null ? 'active' : 'disabled'
  return [id, email.padEnd(32), roles.join(' ') || '–', day(createdAt), day(lastLoginAt), standing]
}

/** What a script may want to know; never a hash. */
function factsOf({ id, email, name, roles, createdAt, lastLoginAt, disabledAt }: Account) {
  return { id, email, name, roles, createdAt, lastLoginAt, disabledAt }
}

/** Makes an account. @throws VALIDATION_FAILED, CONFLICT */
export async function create(
  parts: AccountsParts,
  given: {
    readonly email: string
    readonly name: string
    readonly roles: readonly string[]
    readonly password: string
  },
  answering: Answering,
): Promise<number> {
  const account = await createAccount(parts, given, here)
  return told(account, `Account ${account.id} for ${account.email} is there.`, answering)
}

/** Changes roles or standing. @throws UsageFault when nobody has the address; CONFLICT for the last administrator */
export async function change(
  parts: AccountsParts,
  { email, order }: { readonly email: string; readonly order: AccountOrder },
  answering: Answering,
): Promise<number> {
  const { id } = await accountOf(parts, email)
  const after = await orderAccount(parts, { actor: operator, userId: id, order }, here)
  const roles = after.roles.length === 0 ? 'no roles' : `the roles ${after.roles.join(', ')}`
  const standing = after.disabledAt === null ? 'active' : 'disabled'
  return told(after, `${after.email} is ${standing} and has ${roles}.`, answering)
}

/** Ends every session of somebody. @throws UsageFault when nobody has the address */
export async function signOut(parts: AccountsParts, email: string, answering: Answering): Promise<number> {
  const account = await accountOf(parts, email)
  await revokeSessions(
    parts,
    { actor: operator, userId: account.id, reason: 'signed out by the command line' },
    here,
  )
  return told(account, `${account.email} is signed out on every device.`, answering)
}

async function accountOf({ db }: AccountsParts, text: string): Promise<Account> {
  const email = canonicalEmail(text)
  const account = email === null ? null : await accountByEmail(db, email)
  if (account === null) throw new UsageFault(`Nobody has the address ${quoted(text)}.`, 'users')
  return account
}

function told(account: Account, text: string, { terminal, isJson }: Answering): number {
  terminal.out(isJson ? `${JSON.stringify(factsOf(account), null, 2)}\n` : `${text}\n`)
  return exitCodes.fine
}

const shownMaxCount = 20

/** Imports a file. @throws UsageFault when it cannot be read, ImportFault when it is in another form */
export async function importFile(
  parts: AccountsParts,
  { file, format }: { readonly file: string; readonly format: ImportFormat },
  { terminal, isJson }: Answering,
): Promise<number> {
  const refused: RefusedRow[] = []
  const progress = progressOn(terminal, process.stderr.isTTY === true)
  const handle = await open(file).catch((error: unknown) => {
    throw new UsageFault(`${quoted(file)} cannot be read: ${codeOf(error)}.`, 'users')
  })
  try {
    const { outcome, isStopped } = await stoppable(async (signal) => ({
      outcome: await importAccounts(parts, handle.createReadStream(), {
        format,
        signal,
        onRefused: (row) => {
          if (isJson) terminal.out(`${JSON.stringify(row)}\n`)
          else if (refused.length < shownMaxCount) refused.push(row)
        },
        onProgress: ({ readCount, addedCount, refusedCount }) =>
          progress.tell(`${counted(readCount, 'row')} read, ${addedCount} added, ${refusedCount} refused`),
      }),
      isStopped: signal.aborted,
    }))
    progress.end()
    const { addedCount, presentCount, refusedCount } = outcome
    const rows = refused.map(({ line, reason }) => `  line ${line}: ${reason}\n`).join('')
    const more =
      refusedCount > refused.length
        ? `  and ${refusedCount - refused.length} more: --json lists all of them\n`
        : ''
    if (isJson) terminal.out(`${JSON.stringify({ ...outcome, isStopped })}\n`)
    else
      terminal.out(
        `${counted(addedCount, 'account')} added, ${presentCount} there before, ${refusedCount} refused.\n${rows}${more}` +
          (isStopped ? 'Stopped before the end. To go on, run it again.\n' : ''),
      )
    return refusedCount === 0 && !isStopped ? exitCodes.fine : exitCodes.findings
  } finally {
    progress.end()
    await handle.close()
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be opened'
}
