import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import app from '../examples/notes/app.ts'
import { type MigrationDatabase, newId, type Server } from '../src/index.ts'
import { type SoakReply, soakPassword, soakWants } from './soak-words.ts'

// The example as a process of its own, for the soak: it makes its people, listens, and answers on the channel to its
// parent what only the inside can tell. Requests know nothing of any of this.

const pauseMs = 50
const personCount = Number(process.argv[2])
const server = await app.boot()
await makePeople(server)
const address = await server.listen()
const delays = monitorEventLoopDelay({ resolution: 10 })
delays.enable()

process.once('SIGTERM', () => {
  void server.stop().then((outcome) => {
    // What is said last must be out before the process ends.
    process.send?.({ kind: 'stopped', outcome } satisfies SoakReply, () => process.exit(0))
  })
})
// The soak itself has ended, in whatever way: nobody else would stop this one.
process.once('disconnect', () => process.exit(1))
process.on('message', (message) => {
  void answer(message).then((reply) => process.send?.(reply))
})
process.send?.({ kind: 'listening', address } satisfies SoakReply)

async function answer(message: unknown): Promise<SoakReply> {
  return message === soakWants.trail ? await trail() : await memory()
}

/** What is alive: garbage that has not been collected would hide a leak, or look like one. */
async function memory(): Promise<SoakReply> {
  for (let round = 0; round < 2; round += 1) {
    globalThis.gc?.()
    // Finalizers run in between, and so that no pause is so long that requests behind it are turned away.
    await delay(pauseMs)
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  const delayP99Ms = delays.percentile(99) / 1e6
  delays.reset()
  return { kind: 'memory', aliveBytes: heapUsed + external, residentBytes: rss, delayP99Ms }
}

async function trail(): Promise<SoakReply> {
  const { rowCount, findingCount } = await server.events.verify()
  return { kind: 'trail', rowCount, findingCount }
}

/** Many people with one password: hashing it for each would take a minute. After a restart they are there. */
async function makePeople(at: Server): Promise<void> {
  const db: MigrationDatabase = at.unscoped('the soak makes its people')
  const accounts = 'holdfast_accounts'
  const email = 'person0@example.com'
  const known = await db.selectFrom(accounts).select('id').where('email', '=', email).executeTakeFirst()
  if (known !== undefined) return
  await at.createAccount({ email, password: soakPassword, roles: [] })
  const first = await db.selectFrom(accounts).selectAll().where('email', '=', email).executeTakeFirstOrThrow()
  for (let index = 1; index < personCount; index += 1)
    await db
      .insertInto(accounts)
      .values({ ...first, id: newId(), email: `person${index}@example.com` })
      .execute()
}
