import type { Attack } from './attacks.ts'
import { accountIds, hourMs, startMs } from './ordinary.ts'
import { type Actor, event, failedLogin, login, type Step } from './steps.ts'

const secondMs = 1_000
const minuteMs = 60_000
// Ten minutes into the hour, so that there is something to hide in.
const attackMs = startMs + 10 * minuteMs
const restMs = hourMs - 10 * minuteMs - 1
const officeAddress = '198.51.100.7'
const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

interface Guessing {
  readonly gapMs: number
  readonly tries: number
  readonly accounts: number
  readonly addressOf: (index: number) => string
}

/** Wrong passwords at a steady pace, until the hour is over. */
function guesses({ gapMs, tries, accounts, addressOf }: Guessing): readonly Step[] {
  // Of ten addresses that are tried, three have an account.
  const ids = accountIds().slice(250)
  return Array.from({ length: Math.min(tries, Math.floor(restMs / gapMs)) }, (_, index) => {
    const place = index % accounts
    const isThere = accounts === 1 || place % 10 < 3
    const account = {
      userId: isThere ? (ids[place % ids.length] ?? null) : null,
      pseudonym: `guess-${place}`,
    }
    const actor = { address: addressOf(index), userAgent: chrome, sessionId: null }
    return failedLogin(attackMs + index * gapMs, actor, account)
  }).flat()
}

const one = (): string => '203.0.113.66'
const ofMany = (count: number) => (index: number) =>
  `198.18.${Math.floor((index % count) / 200)}.${index % 200}`
const ofNetwork = (index: number): string => `203.0.113.${100 + (index % 60)}`
const anything = (): boolean => true

/** Attacks on log-ins and sessions. */
export function accountAttacks(): readonly Attack[] {
  return [
    ...passwordAttacks(),
    ...sprayingAttacks(),
    ...manyAddressAttacks(),
    ...sessionAttacks(),
    ...siteAttacks(),
    ...trapAttacks(),
  ]
}

function passwordAttacks(): readonly Attack[] {
  const onAccount: Pick<Attack, 'detector' | 'isMeant'> = {
    detector: 'brute-force-account',
    isMeant: ({ subject }) => subject.value === 'user-250',
  }
  const fromAddress: Pick<Attack, 'detector' | 'isMeant'> = {
    detector: 'brute-force-address',
    isMeant: ({ subject }) => subject.value === one(),
  }
  const target = { accounts: 1, tries: 1_000, addressOf: ofMany(30) }
  const three = { accounts: 3, tries: 1_000, addressOf: one }
  return [
    {
      ...onAccount,
      speed: 'fast',
      what: '1/s from 30 addresses',
      steps: guesses({ ...target, gapMs: secondMs }),
    },
    {
      ...onAccount,
      speed: 'slow',
      what: '1 in 3 min from 30 addresses',
      steps: guesses({ ...target, gapMs: 3 * minuteMs }),
    },
    {
      ...onAccount,
      speed: 'hidden',
      what: '1 in 6 min from 30 addresses',
      steps: guesses({ ...target, gapMs: 6 * minuteMs }),
    },
    {
      ...fromAddress,
      speed: 'fast',
      what: '1/s at 3 accounts',
      steps: guesses({ ...three, gapMs: secondMs }),
    },
    {
      ...fromAddress,
      speed: 'slow',
      what: '1 in 2 min at 3 accounts',
      steps: guesses({ ...three, gapMs: 2 * minuteMs }),
    },
    {
      ...fromAddress,
      speed: 'hidden',
      what: '1 in 5 min at 3 accounts',
      steps: guesses({ ...three, gapMs: 5 * minuteMs }),
    },
  ]
}

function sprayingAttacks(): readonly Attack[] {
  const spraying: Pick<Attack, 'detector' | 'isMeant'> = {
    detector: 'password-spraying',
    isMeant: ({ subject }) => subject.value === one(),
  }
  const inOffice: Pick<Attack, 'detector' | 'isMeant'> = {
    detector: 'password-spraying',
    isMeant: ({ subject }) => subject.value === officeAddress,
  }
  return [
    { ...spraying, speed: 'fast', what: '100 accounts, 1/s', steps: each(secondMs, 100, one) },
    { ...spraying, speed: 'slow', what: '1 account in 4 min', steps: each(4 * minuteMs, 100, one) },
    { ...spraying, speed: 'hidden', what: '1 account in 10 min', steps: each(10 * minuteMs, 100, one) },
    {
      ...inOffice,
      speed: 'fast',
      what: '300 accounts, 1/s, from an office of 200',
      steps: each(secondMs, 300, () => officeAddress),
    },
    {
      ...inOffice,
      speed: 'hidden',
      what: '30 accounts from an office of 200',
      steps: each(minuteMs, 30, () => officeAddress),
    },
  ]
}

/** A different account each time. */
function each(gapMs: number, tries: number, addressOf: Guessing['addressOf']): readonly Step[] {
  return guesses({ gapMs, tries, accounts: tries, addressOf })
}
function manyAddressAttacks(): readonly Attack[] {
  const everywhere: Pick<Attack, 'detector' | 'isMeant'> = {
    detector: 'distributed-spraying',
    isMeant: anything,
  }
  const stuffing: Pick<Attack, 'detector' | 'isMeant'> = {
    detector: 'credential-stuffing',
    isMeant: ({ subject }) => subject.value === '203.0.113.0/24',
  }
  return [
    {
      ...everywhere,
      speed: 'fast',
      what: '600 accounts in 10 min from 300 addresses',
      steps: each(secondMs, 600, ofMany(300)),
    },
    {
      ...everywhere,
      speed: 'slow',
      what: '250 accounts in 50 min from 250 addresses',
      steps: each(12 * secondMs, 250, ofMany(250)),
    },
    {
      ...everywhere,
      speed: 'hidden',
      what: '50 accounts in 50 min from 50 addresses',
      steps: each(minuteMs, 50, ofMany(50)),
    },
    {
      ...stuffing,
      speed: 'fast',
      what: '600 accounts, 1/s, 60 addresses of a /24',
      steps: each(secondMs, 600, ofNetwork),
    },
    {
      ...stuffing,
      speed: 'slow',
      what: '1 account in 90 s, 60 addresses of a /24',
      steps: each(90 * secondMs, 600, ofNetwork),
    },
    {
      ...stuffing,
      speed: 'hidden',
      what: '1 account in 3 min, 60 addresses of a /24',
      steps: each(3 * minuteMs, 600, ofNetwork),
    },
  ]
}

function sessionAttacks(): readonly Attack[] {
  const sessionId = 'stolen'
  const owner: Actor = { address: '192.0.9.9', userAgent: chrome, userId: 'owner', sessionId }
  const ask = (actor: Actor, index: number): Step => ({
    atMs: attackMs + index * 20_000,
    request: {
      ...actor,
      method: 'GET',
      route: '/api/notes',
      target: '/api/notes',
      status: 200,
      durationMs: 3,
      problem: null,
      reason: null,
      requestId: 'r',
    },
  })
  const used = (thief: Actor): readonly Step[] =>
    Array.from({ length: 60 }, (_, index) => ask(index % 3 === 2 ? thief : owner, index))
  const moved: Pick<Attack, 'detector' | 'isMeant'> = {
    detector: 'session-moved',
    isMeant: ({ subject }) => subject.value === sessionId,
  }
  const thief = { ...owner, address: one(), userAgent: 'python-requests/2.32.5' }
  return [
    { ...moved, speed: 'fast', what: 'another address and another client', steps: used(thief) },
    {
      ...moved,
      speed: 'hidden',
      what: 'another address, the same browser',
      steps: used({ ...thief, userAgent: chrome }),
    },
    {
      detector: 'token-reuse',
      speed: 'fast',
      what: 'once',
      steps: [event(attackMs, { event: 'authn_token_reuse', userId: 'owner', sessionId, address: one() })],
      isMeant: ({ subject }) => subject.value === sessionId,
    },
  ]
}

function siteAttacks(): readonly Attack[] {
  const ins = (gapMs: number, count: number): readonly Step[] =>
    Array.from({ length: count }, (_, index) => {
      const actor = { address: ofMany(2_000)(index), userAgent: chrome, userId: null, sessionId: null }
      return login(attackMs + index * gapMs, actor, `bot-${index}`, `bot-session-${index}`)
    }).flat()
  const outs = (gapMs: number, count: number): readonly Step[] =>
    Array.from({ length: count }, (_, index) =>
      event(attackMs + index * gapMs, {
        event: 'session_logout',
        userId: `user-${index % 600}`,
        sessionId: `s-${index}`,
        address: '192.0.9.9',
      }),
    )
  return [
    {
      detector: 'many-logins',
      speed: 'fast',
      what: '6,000 in 10 min',
      steps: ins(100, 6_000),
      isMeant: anything,
    },
    {
      detector: 'many-logins',
      speed: 'hidden',
      what: '6,000 in 50 min',
      steps: ins(500, 6_000),
      isMeant: anything,
    },
    {
      detector: 'many-logouts',
      speed: 'fast',
      what: '3,000 in 5 min',
      steps: outs(100, 3_000),
      isMeant: anything,
    },
    {
      detector: 'many-logouts',
      speed: 'hidden',
      what: '3,000 in 50 min',
      steps: outs(1_000, 3_000),
      isMeant: anything,
    },
  ]
}

function trapAttacks(): readonly Attack[] {
  const trap: DetectionTrap = {
    options: { honeytokens: { credentials: ['backup@example.com', 'user-trap'] } },
  }
  const credential: Pick<Attack, 'detector' | 'isMeant'> = {
    detector: 'honeytoken',
    isMeant: ({ subject }) => subject.value === one(),
  }
  const attempt = (userId: string | null, pseudonym: string): readonly Step[] =>
    failedLogin(attackMs, { address: one(), userAgent: chrome, sessionId: null }, { userId, pseudonym })
  const change = event(attackMs, {
    event: 'privilege_permissions_changed',
    userId: 'user-9',
    actorId: 'user-1',
    address: one(),
  })
  return [
    {
      ...credential,
      ...trap,
      speed: 'fast',
      what: 'an address without an account',
      steps: attempt(null, 'p-backup@example.com'),
    },
    {
      ...credential,
      ...trap,
      speed: 'slow',
      what: 'an account that nobody uses',
      steps: attempt('user-trap', 'p-x'),
    },
    {
      detector: 'privileges-off-hours',
      speed: 'fast',
      what: 'once',
      steps: [change],
      isMeant: ({ subject }) => subject.value === 'user-1',
      options: { workingHours: { timeZone: 'UTC', from: '09:30', to: '18:00' } },
    },
  ]
}

type DetectionTrap = Required<Pick<Attack, 'options'>>
