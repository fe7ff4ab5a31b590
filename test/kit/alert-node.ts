import { alertChannels, openAlerts } from '../../src/alerts/index.ts'
import { Secret } from '../../src/base/index.ts'
import { openDatabase } from '../../src/data/index.ts'
import { foundBy } from './alert-receivers.ts'
import { notedTrail } from './trail.ts'

// A process with alerts of its own: it raises the same ten attacks as every other, and ends when all is delivered.
const [path = ':memory:', url] = process.argv.slice(2)
const database = openDatabase(path)
const targets = {
  mailTo: [],
  webhook: url === undefined ? null : { url: new Secret(url), secret: new Secret(Buffer.alloc(32, 7)) },
  slack: null,
  pagerDuty: null,
  syslog: null,
}
const alerts = openAlerts({
  db: database.db,
  trail: notedTrail(database.db),
  channels: alertChannels(targets, { source: 'notes.example.com', sendMail: async () => undefined }),
  onFailure(error) {
    process.stderr.write(`${String(error)}\n`)
    process.exitCode = 1
  },
})
for (let round = 0; round < 10; round += 1)
  alerts.raise(foundBy('a', { subject: { by: 'address', value: `203.0.113.${round}` } }))
await alerts.idle()
await alerts.end()
await database.close()
