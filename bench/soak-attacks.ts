import { awkwardStrings, awkwardValues, escaped, naughtyStrings } from '../test/faults/hostile-values.ts'
import { memberOf } from '../test/kit/client.ts'
import type { SoakClient } from './soak-client.ts'
import type { Person } from './soak-people.ts'
import { garble, halfSend, sendSlowly } from './soak-sockets.ts'
import { soakPassword } from './soak-words.ts'

/** What attackers need. */
export interface Battlefield {
  readonly client: SoakClient
  /** `http://127.0.0.1:PORT` */
  readonly address: string
  /** Accounts that belong to attackers; what detectors do to them is their business. */
  readonly attackers: readonly Person[]
  /** The honest, whose notes the attackers are after. */
  readonly people: readonly Person[]
  /** Numbers from 0 to 1. */
  readonly random: () => number
  /** True once the attacks are to end. */
  readonly isOver: () => boolean
}

/** One kind of attack, once. */
type Attack = (field: Battlefield, turn: number) => Promise<void>

const texts = [...awkwardStrings, ...naughtyStrings]
const floodRequestCount = 400
const floodLaneCount = 8
const jsonBytes = 1_200_000

/** Every attack, and how long to wait between two of its turns, in milliseconds. */
export const attacks: readonly { readonly everyMs: number; readonly attack: Attack }[] = [
  { everyMs: 300, attack: forgeTokens },
  { everyMs: 250, attack: reachForOthers },
  { everyMs: 150, attack: inject },
  { everyMs: 400, attack: scan },
  { everyMs: 1_500, attack: sendHuge },
  { everyMs: 1_500, attack: guessPasswords },
  { everyMs: 4_000, attack: flood },
  { everyMs: 700, attack: (field) => halfSend(field.address, field.random) },
  { everyMs: 700, attack: (field) => garble(field.address, field.random) },
  { everyMs: 900, attack: (field) => sendSlowly(field.address, field.isOver) },
]

/** An address of the networks that attack, out of a number that does not grow: 600 in all. */
function addressOf(turn: number): string {
  return turn % 3 === 0 ? `198.51.100.${turn % 200}` : `203.0.113.${turn % 200}`
}

async function forgeTokens({ client, random }: Battlefield, turn: number): Promise<void> {
  const body = Buffer.from(JSON.stringify({ sub: 'admin', roles: ['admin'], exp: 4e9 })).toString('base64url')
  const tokens = [
    'x',
    `eyJhbGciOiJub25lIn0.${body}.`,
    `eyJhbGciOiJFZERTQSJ9.${body}.${'A'.repeat(86)}`,
    `${random()}`,
  ]
  const authorization = `Bearer ${tokens[turn % tokens.length]}`
  const expected = [401, 403, 404, 429]
  await client.ask({
    ...{ what: 'attack: forged token', from: addressOf(turn), method: 'GET', path: '/api/notes' },
    ...{ headers: { authorization }, expected },
  })
}

/** A good token of one's own, and the notes of others. */
async function reachForOthers({ attackers, people, random }: Battlefield, turn: number): Promise<void> {
  const attacker = attackers[turn % attackers.length]
  const victim = people[Math.floor(random() * people.length)]
  const [id] = victim?.notes.keys() ?? []
  if (attacker === undefined || id === undefined || !(await attacker.beSignedIn())) return
  const expected = [401, 403, 404, 429]
  const path = `/api/notes/${id}`
  const what = "attack: another's note"
  const methods = ['DELETE', 'PATCH', 'GET']
  const method = methods[turn % methods.length] ?? 'GET'
  const body = method === 'PATCH' ? { title: 'mine now' } : undefined
  const reply = await attacker.ask(what, method, path, { body, expected })
  // A detector may have ended the session; the next one is made as the first was.
  if (reply?.status === 401) attacker.forget()
}

async function inject({ client, random }: Battlefield, turn: number): Promise<void> {
  const text = escaped(texts[turn % texts.length] ?? '')
  const value = awkwardValues[turn % awkwardValues.length]
  const from = addressOf(turn)
  const what = 'attack: injection'
  const choice = Math.floor(random() * 3)
  if (choice === 0) await client.ask({ what, from, method: 'GET', path: `/api/notes/${text}` })
  else if (choice === 1) await client.ask({ what, from, method: 'GET', path: `/api/notes?cursor=${text}` })
  else
    await client.ask({
      ...{ what, from, method: 'POST', path: '/api/auth/login', mayBreakOff: true },
      ...{ body: { email: value, password: value }, expected: [400, 401, 403, 413, 422, 429] },
    })
}

const scanned = [
  '/wp-login.php',
  '/.env',
  '/.git/config',
  '/admin',
  '/actuator/env',
  '/api/v1/users',
  '/..%2f',
]

async function scan({ client }: Battlefield, turn: number): Promise<void> {
  const path = scanned[turn % scanned.length] ?? '/'
  const expected = [400, 403, 404, 429]
  await client.ask({ what: 'attack: scan', from: addressOf(turn), method: 'GET', path, expected })
}

/** Bodies over the limit, and as deep or as wide as one within it can be. */
async function sendHuge({ client, attackers }: Battlefield, turn: number): Promise<void> {
  const attacker = attackers[turn % attackers.length]
  if (attacker === undefined || !(await attacker.beSignedIn())) return
  const deep = '['.repeat(50_000)
  const wide = JSON.stringify({ title: 'x', body: 'x'.repeat(900_000) })
  const over = `{"title":"${'x'.repeat(jsonBytes)}"}`
  const body = [deep, wide, over][turn % 3] ?? ''
  await client.ask({
    ...{ what: 'attack: huge body', from: attacker.from, method: 'POST', path: '/api/notes' },
    ...{ headers: attacker.credential, body, mayBreakOff: true, expected: [400, 401, 403, 413, 422, 429] },
  })
}

async function guessPasswords({ client }: Battlefield, turn: number): Promise<void> {
  const email = turn % 2 === 0 ? 'guessed@example.com' : `nobody${turn % 50}@example.com`
  const body = { email, password: `${soakPassword} ${turn}` }
  const expected = [401, 403, 429]
  await client.ask({
    ...{ what: 'attack: guessed password', from: addressOf(turn), method: 'POST' },
    ...{ path: '/api/auth/login', body, expected },
  })
}

/** More requests than the limit bears, from one address at once; each flood comes from the next of five addresses. */
async function flood({ client, isOver }: Battlefield, turn: number): Promise<void> {
  const from = `192.0.2.${turn % 5}`
  let left = floodRequestCount
  const lane = async (): Promise<void> => {
    while (left > 0 && !isOver()) {
      left -= 1
      const expected = [200, 403, 429]
      await client.ask({ what: 'attack: flood', from, method: 'GET', path: '/', expected })
    }
  }
  await Promise.all(Array.from({ length: floodLaneCount }, lane))
}

/** Whether the limits have stopped the floods. */
export function floodsWereStopped({ tallies }: SoakClient): boolean {
  return (tallies.get('attack: flood')?.statuses.get(429) ?? 0) > 0
}

/** A refresh token that has been used before ends its family: the theft is found, and the thief has nothing. */
export async function replayRefresh(field: Battlefield): Promise<void> {
  const [attacker] = field.attackers
  if (attacker === undefined) return
  const send = (body: unknown, expected: readonly number[]): ReturnType<SoakClient['ask']> =>
    field.client.ask({
      ...{ what: 'attack: replayed refresh', from: attacker.from, method: 'POST' },
      ...{ path: '/api/auth/refresh', body, expected },
    })
  const refreshToken = attacker.refreshToken
  const first = await send({ refreshToken }, [200, 401, 403, 429])
  const second = memberOf(first?.json, 'refreshToken')
  if (typeof second !== 'string') return
  await send({ refreshToken: second }, [200, 401, 403, 429])
  await send({ refreshToken }, [401, 403, 429])
  attacker.forget()
}
