import { expect, it } from 'vitest'
import { foundBy } from '../../test/kit/alert-receivers.ts'
import { startMailServer } from '../../test/kit/smtp.ts'
import { notedTrail } from '../../test/kit/trail.ts'
import { Secret } from '../base/index.ts'
import { migrateUp, openDatabase } from '../data/index.ts'
import { type Letter, mailOutbox, outboxMigration, render, smtpTransport } from '../mail/index.ts'
import { type AlertLetter, alertChannels, alertsMigration, openAlerts } from './index.ts'

it('V16.3.3 an alert arrives in every mailbox of the list, and says nothing that an attacker wants it to', async () => {
  const server = await startMailServer()
  const database = openDatabase(':memory:')
  const { db } = database
  await migrateUp(database, {
    migrations: [outboxMigration, alertsMigration],
    table: 'holdfast_own_migrations',
  })
  const letters: AlertLetter[] = []
  const failures: unknown[] = []
  const onFailure = (error: unknown) => void failures.push(error)
  const outbox = mailOutbox({
    db,
    keys: [new Secret(Buffer.alloc(32, 3))],
    onFailure,
    async compose({ data }): Promise<Letter | null> {
      const [values] = letters
      return values === undefined ? null : { to: String(data), template: 'alert', values }
    },
    render: (letter) => render(letter, { siteName: 'Notes', origin: 'https://notes.example.com' }),
    transport: smtpTransport(new Secret(`smtp://127.0.0.1:${server.port}`), 'Notes <no-reply@example.com>'),
  })
  const channels = alertChannels(
    {
      mailTo: ['ops@example.com', 'night@example.com'],
      webhook: null,
      slack: null,
      pagerDuty: null,
      syslog: null,
    },
    {
      source: 'notes.example.com',
      async sendMail(to, letter) {
        letters.push(letter)
        await db.transaction().execute(async (trx) => {
          for (const address of to) await outbox.add(trx, { kind: 'alert', data: address })
        })
        outbox.wake()
      },
    },
  )
  const alerts = openAlerts({ db, trail: notedTrail(db), channels, onFailure })
  alerts.raise(
    foundBy('password-spraying', {
      ...{ level: 'critical', summary: '53 accounts were tried from 203.0.113.9.' },
      ...{ addresses: ['203.0.113.9'], routes: ['POST /auth/login'] },
      accounts: ['<b>x</b>\r\nBcc: evil@evil.example\r\n\r\nhttp://evil.example'],
    }),
  )
  await alerts.idle()
  await outbox.idle()
  expect(server.mails.map(({ to }) => to).sort()).toEqual([['night@example.com'], ['ops@example.com']])
  for (const { headers, body, raw } of server.mails) {
    expect(headers['subject']).toBe('Notes: New critical alert: Password spraying')
    expect(body).toContain('53 accounts were tried from 203.0.113.9.')
    expect(body).toContain('Routes: POST /auth/login')
    expect(body).toContain('Accounts: b x b Bcc evil evil example http evil example')
    expect(raw).not.toMatch(/evil\.example|^Bcc/m)
  }
  expect(failures).toEqual([])
  await alerts.end()
  await outbox.close()
  await database.close()
  await server.close()
})
