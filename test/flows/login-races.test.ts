import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from 'holdfast'
import { expect, it } from 'vitest'
import example from '../../examples/notes/app.ts'
import { login } from '../../src/users/login.ts'
import type { AccountsParts } from '../../src/users/parts.ts'
import { goodPassword } from '../kit/accounts.ts'

// A hash takes its time, and much can happen meanwhile: here it does, each time, just when the password is known right.

const from = { address: '192.0.2.1', userAgent: 'test', device: undefined, requestId: 'race' }
const request = { email: 'ann@example.com', password: goodPassword, transport: 'bearer' } as const

/** Accounts in which this happens after the password was held against the hash. */
function interrupted(parts: AccountsParts, meanwhile: () => Promise<unknown>): AccountsParts {
  const { hashing } = parts
  return {
    ...parts,
    hashing: {
      ...hashing,
      async verify(password, stored, who) {
        const verdict = await hashing.verify(password, stored, who)
        await meanwhile()
        return verdict
      },
    },
  }
}

it('V7.4.3 nobody logs in with what has ended while it was being checked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-login-'))
  const options = {
    environment: { NODE_ENV: 'test', PORT: '0', HOLDFAST_DATA_DIR: folder },
    logger: createLogger({ level: 'fatal' }),
  }
  const server = await example.boot(options)
  await server.createAccount({ email: request.email, password: goodPassword, roles: [] })
  await server.stop()
  await example.accounts(options, async (parts) => {
    const change = (columns: Readonly<Record<string, string | null>>) => () =>
      parts.db.updateTable('holdfast_accounts').set(columns).where('email', '=', request.email).execute()
    const now = new Date().toISOString()
    const refusedWhile = async (meanwhile: () => Promise<unknown>): Promise<void> => {
      await expect(login(interrupted(parts, meanwhile), request, from)).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
      })
      const sessions = await parts.db.selectFrom('holdfast_sessions').select('id').execute()
      expect(sessions).toEqual([])
    }
    const broken = interrupted(parts, async () => {
      throw new RangeError('no thread can hash')
    })
    // Not a wrong password: nobody is told so, and nobody is counted.
    await expect(login(broken, request, from)).rejects.toThrow('no thread can hash')
    const counted = await parts.db.selectFrom('holdfast_login_attempts').select('failedCount').execute()
    expect(counted).toEqual([{ failedCount: 0 }])
    await refusedWhile(change({ disabledAt: now }))
    await change({ disabledAt: null })()
    await refusedWhile(change({ passwordChangedAt: now }))
    await refusedWhile(() =>
      parts.db.deleteFrom('holdfast_accounts').where('email', '=', request.email).execute(),
    )
  })
  rmSync(folder, { recursive: true })
})
