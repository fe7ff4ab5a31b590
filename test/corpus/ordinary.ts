import { type Chance, chanceOf } from './chance.ts'
import { honestSearches } from './searches.ts'
import { type Actor, event, failedLogin, inOrder, login, request, type Step } from './steps.ts'

/** When the hour begins: a Tuesday, 09:00 UTC. */
export const startMs: number = Date.UTC(2026, 10, 24, 9)
/** How long it is. */
export const hourMs = 3_600_000

const minuteMs = 60_000
const officeAddress = '198.51.100.7'

const browsers: readonly string[] = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0',
]
const phones: readonly string[] = [
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36',
]

/** Somebody with an account. */
interface Person {
  readonly id: string
  readonly place: 'office' | 'home' | 'mobile'
  readonly address: string
  readonly userAgent: string
}

/** The ids of the accounts that there are. */
export function accountIds(count = 600): readonly string[] {
  return Array.from({ length: count }, (_, index) => `user-${index}`)
}

/**
 * An hour of ordinary traffic: 600 people with think time, 200 of them behind one address, wrong and forgotten
 * passwords, phones that change their network, crawlers, probes, dead links, a client that retries what it should not,
 * and the noise of the internet. None of it is an attack on anybody.
 */
export function ordinaryHour(seed: number): readonly Step[] {
  const chance = chanceOf(seed)
  const people = accountIds().map((id, index) => personOf(chance, id, index))
  return inOrder(
    ...people.map((person) => dayOf(chance, person)),
    ...crawlers(chance),
    probes(),
    loopingClient(chance),
    noise(chance),
    oldClients(chance),
    strangeSites(chance),
    administrators(chance),
    dashboards(),
  ).filter(({ atMs }) => atMs < startMs + hourMs)
}

function personOf(chance: Chance, id: string, index: number): Person {
  const place = index < 200 ? 'office' : index < 450 ? 'home' : 'mobile'
  if (place === 'office') return { id, place, address: officeAddress, userAgent: chance.pick(browsers) }
  if (place === 'mobile')
    return { id, place, address: carrierAddress(chance), userAgent: chance.pick(phones) }
  const address = chance.happens(0.4)
    ? `2001:db8:${index.toString(16)}:1::${chance.whole(1, 9_999).toString(16)}`
    : `192.0.${chance.whole(3, 250)}.${chance.whole(1, 250)}`
  return { id, place, address, userAgent: chance.pick([...browsers, ...phones]) }
}

/** Carriers put hundreds of phones behind an address. */
function carrierAddress(chance: Chance): string {
  return `100.64.0.${chance.whole(1, 12)}`
}

function dayOf(chance: Chance, person: Person): readonly Step[] {
  const steps: Step[] = []
  // Most of the office comes at the same time.
  const span = person.place === 'office' && chance.happens(0.7) ? 20 * minuteMs : 50 * minuteMs
  let atMs = startMs + Math.floor(chance.share() * span)
  const sessionId = `session-of-${person.id}`
  let actor: Actor = { ...person, userId: null, sessionId: null }
  const tried = { userId: person.id, pseudonym: `p-${person.id}` }
  // A third of them are still logged in from before.
  if (!chance.happens(0.33)) {
    const wrong = chance.happens(0.02) ? chance.whole(4, 8) : chance.happens(0.12) ? chance.whole(1, 2) : 0
    for (let time = 0; time < wrong; time++) {
      steps.push(...failedLogin(atMs, actor, tried))
      atMs += chance.spanMs(15_000) + 2_000
    }
    if (chance.happens(0.03))
      steps.push(...failedLogin(atMs, actor, { userId: null, pseudonym: `typo-${person.id}` }))
    atMs += 5_000
    if (wrong > 3) steps.push(request(atMs, actor, { method: 'POST', route: '/api/auth/password-reset' }))
    if (wrong > 3) atMs += chance.spanMs(90_000)
    steps.push(...login(atMs, actor, person.id, sessionId))
  }
  actor = { ...actor, userId: person.id, sessionId }
  let renewMs = atMs + 10 * minuteMs
  for (let left = chance.whole(5, 60); left > 0; left--) {
    atMs += chance.spanMs(25_000) + 300
    if (person.place === 'mobile' && chance.happens(0.04))
      actor = { ...actor, address: carrierAddress(chance) }
    if (person.place === 'home' && chance.happens(0.001))
      actor = { ...actor, address: carrierAddress(chance), userAgent: actor.userAgent.replace(/141/g, '142') }
    if (atMs > renewMs) {
      renewMs = atMs + 10 * minuteMs
      steps.push(
        request(
          atMs,
          { ...actor, userId: null, sessionId: null },
          { route: '/api/notes', problem: 'UNAUTHENTICATED' },
        ),
      )
      steps.push(
        event(atMs, { event: 'session_renewed', userId: person.id, sessionId, address: actor.address }),
      )
    }
    steps.push(...oneAction(chance, actor, atMs))
  }
  if (chance.happens(0.3))
    steps.push(event(atMs, { event: 'session_logout', userId: person.id, sessionId, address: actor.address }))
  return steps
}

function oneAction(chance: Chance, actor: Actor, atMs: number): readonly Step[] {
  const dice = chance.share()
  const one = (id: string) => ({ route: '/api/notes/:id', target: `/api/notes/${id}` })
  const id = `n-${chance.whole(1, 9_000)}`
  if (dice < 0.3)
    return [request(atMs, actor, { route: '/api/notes', target: '/api/notes?limit=20&order=-createdAt' })]
  if (dice < 0.7) return [request(atMs, actor, one(id))]
  if (dice < 0.82) return [request(atMs, actor, { route: '/api/notes', target: searchTarget(chance) })]
  if (dice < 0.9) return [request(atMs, actor, { method: 'POST', route: '/api/notes', status: 201 })]
  if (dice < 0.92)
    return [request(atMs, actor, { method: 'POST', route: '/api/notes', problem: 'VALIDATION_FAILED' })]
  if (dice < 0.93)
    return [request(atMs, actor, { method: 'PATCH', ...one(id), problem: 'PRECONDITION_FAILED' })]
  if (dice < 0.945) return [request(atMs, actor, { ...one(`gone-${id}`), problem: 'NOT_FOUND' })]
  // Somebody was sent a link to a note that is not theirs.
  if (dice < 0.948)
    return [
      request(atMs, actor, { ...one(id), problem: 'NOT_FOUND' }),
      event(atMs, {
        event: 'authz_fail',
        userId: actor.userId,
        details: { resource: 'notes', key: id, action: 'read' },
      }),
    ]
  if (dice < 0.951) return [request(atMs, actor, { route: '/api/admin/users', problem: 'FORBIDDEN' })]
  if (dice < 0.965)
    return [request(atMs, actor, { route: null, target: chance.pick(assets), problem: 'NOT_FOUND' })]
  return [request(atMs, actor, { method: 'PATCH', ...one(id) })]
}

const assets: readonly string[] = [
  '/favicon.ico',
  '/apple-touch-icon.png',
  '/apple-touch-icon-precomposed.png',
  '/robots.txt',
  '/.well-known/change-password',
  '/.well-known/traffic-advice',
  '/static/app.js.map',
]

function searchTarget(chance: Chance): string {
  const words = chance.happens(0.5) ? chance.pick(honestSearches) : `plan ${chance.whole(1, 500)}`
  const encoded = chance.happens(0.5)
    ? encodeURIComponent(words)
    : new URLSearchParams([['q', words]]).toString().slice(2)
  return `/api/notes?search=${encoded}&limit=20`
}

/** They have old links, and there are always some that are dead. */
function crawlers(chance: Chance): readonly (readonly Step[])[] {
  return [1, 2, 3].map((number) => {
    const actor: Actor = {
      address: `203.0.113.${number}`,
      userAgent: 'Mozilla/5.0 (compatible; HonestBot/2.1; +https://bot.example/about)',
      userId: null,
      sessionId: null,
    }
    return Array.from({ length: 500 }, (_, index) =>
      chance.happens(0.05)
        ? request(startMs + index * 7_000, actor, {
            route: null,
            target: `/blog/${chance.whole(1, 400)}`,
            problem: 'NOT_FOUND',
          })
        : request(startMs + index * 7_000, actor, {
            route: '/api/public/:page',
            target: `/api/public/${index}`,
          }),
    )
  })
}

function probes(): readonly Step[] {
  return ['10.0.0.2', '10.0.0.3'].flatMap((address) =>
    Array.from({ length: 720 }, (_, index) =>
      request(
        startMs + index * 5_000,
        { address, userAgent: 'kube-probe/1.34', userId: null, sessionId: null },
        { route: '/health' },
      ),
    ),
  )
}

/** It asks for something that was deleted, every five seconds, and runs into the limit and into it again. */
function loopingClient(chance: Chance): readonly Step[] {
  const actor: Actor = {
    address: '192.0.2.77',
    userAgent: 'partner-sync/3.2',
    userId: 'user-599',
    sessionId: null,
  }
  const missing = Array.from({ length: 700 }, (_, index) =>
    request(startMs + index * 5_000, actor, {
      route: '/api/notes/:id',
      target: '/api/notes/gone',
      problem: 'NOT_FOUND',
    }),
  )
  const burstMs = startMs + chance.whole(5, 40) * minuteMs
  const limited = Array.from({ length: 400 }, (_, index) =>
    request(burstMs + index * 500, actor, { route: '/api/notes', problem: 'QUOTA_EXCEEDED' }),
  )
  return [...missing, ...limited]
}

/** Every address of the internet is asked for these, once by each of many. */
function noise(chance: Chance): readonly Step[] {
  return Array.from({ length: 25 }, () =>
    request(
      startMs + chance.whole(0, hourMs),
      {
        address: `198.18.${chance.whole(0, 250)}.${chance.whole(1, 250)}`,
        userAgent: chance.pick([
          '',
          'Go-http-client/1.1',
          'python-requests/2.32.5',
          'curl/8.16.0',
          ...browsers,
        ]),
        userId: null,
        sessionId: null,
      },
      {
        route: null,
        target: chance.pick(['/.env', '/.git/config', '/wp-login.php', '/', '/admin']),
        problem: 'NOT_FOUND',
      },
    ),
  )
}

/** Clients of an older version use a method that is gone. */
function oldClients(chance: Chance): readonly Step[] {
  return Array.from({ length: 8 }, (_, index) => index).flatMap((index) =>
    Array.from({ length: chance.whole(1, 4) }, () =>
      request(
        startMs + chance.whole(0, hourMs),
        {
          address: `192.0.2.${index + 100}`,
          userAgent: 'notes-app/1.4',
          userId: `user-${300 + index}`,
          sessionId: null,
        },
        { method: 'PUT', route: '/api/notes/:id', target: '/api/notes/n-1', problem: 'METHOD_NOT_ALLOWED' },
      ),
    ),
  )
}

/** An extension of one browser, and a page of a partner that nobody has allowed yet. */
function strangeSites(chance: Chance): readonly Step[] {
  const at = (): number => startMs + chance.whole(0, hourMs)
  const stranger = (index: number): Actor => ({
    address: `192.0.2.${200 + index}`,
    userAgent: chance.pick(browsers),
    userId: null,
    sessionId: null,
  })
  return [
    ...Array.from({ length: 6 }, () =>
      request(at(), stranger(0), { method: 'POST', route: '/api/notes', problem: 'CROSS_SITE_REFUSED' }),
    ),
    ...Array.from({ length: 12 }, (_, index) =>
      request(at(), stranger(1 + (index % 4)), {
        method: 'OPTIONS',
        route: '/api/notes',
        status: 204,
        isForeignOrigin: true,
      }),
    ),
  ]
}

/** A page that was built for another role, which asks for the same forbidden things each time it is opened. */
function dashboards(): readonly Step[] {
  return Array.from({ length: 20 }, (_, index) => index).flatMap((index) =>
    Array.from({ length: 30 }, (_, time) =>
      request(
        startMs + index * minuteMs + time * 70_000,
        {
          address: officeAddress,
          userAgent: browsers[index % browsers.length] ?? '',
          userId: `user-${index}`,
          sessionId: `session-of-user-${index}`,
        },
        { route: `/api/admin/widget-${time % 5}`, problem: 'FORBIDDEN' },
      ),
    ),
  )
}

function administrators(chance: Chance): readonly Step[] {
  return Array.from({ length: 3 }, () =>
    event(startMs + chance.whole(35, 59) * minuteMs, {
      event: 'privilege_permissions_changed',
      userId: `user-${chance.whole(0, 599)}`,
      actorId: 'user-0',
      address: officeAddress,
    }),
  )
}
