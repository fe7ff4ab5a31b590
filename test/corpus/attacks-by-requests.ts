import type { Attack } from './attacks.ts'
import { hourMs, startMs } from './ordinary.ts'
import {
  injectionTargets,
  scannerPaths,
  sqlPayloads,
  vagueInjectionTargets,
  vagueSqlPayloads,
} from './payloads.ts'
import { type Actor, type Ask, event, request, type Step } from './steps.ts'

const secondMs = 1_000
const minuteMs = 60_000
const attackMs = startMs + 10 * minuteMs
const restMs = hourMs - 10 * minuteMs - 1

const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
const stranger: Actor = { address: '203.0.113.66', userAgent: chrome, userId: null, sessionId: null }
const insider: Actor = { ...stranger, userId: 'mallory', sessionId: 'session-of-mallory' }

type Kind = Pick<Attack, 'detector' | 'isMeant'>

/** What one client asks for at a steady pace, until the hour is over. */
function asks(actor: Actor, gapMs: number, count: number, ask: (index: number) => Ask): readonly Step[] {
  return Array.from({ length: Math.min(count, Math.floor(restMs / gapMs)) }, (_, index) =>
    request(attackMs + index * gapMs, actor, ask(index)),
  )
}

function by(detector: Attack['detector'], value: string): Kind {
  return { detector, isMeant: ({ subject }) => subject.value === value }
}

/** Attacks that show in requests. */
export function requestAttacks(): readonly Attack[] {
  return [
    ...objectAttacks(),
    ...pathAttacks(),
    ...injectionAttacks(),
    ...crossSiteAttacks(),
    ...refusedAttacks(),
  ]
}

function objectAttacks(): readonly Attack[] {
  const missing = (index: number): Ask => ({
    route: '/api/notes/:id',
    target: `/api/notes/${10_000 + index}`,
    problem: 'NOT_FOUND',
  })
  const foreign = (gapMs: number, count: number): readonly Step[] =>
    Array.from({ length: Math.min(count, Math.floor(restMs / gapMs)) }, (_, index) => [
      request(attackMs + index * gapMs, insider, missing(index)),
      event(attackMs + index * gapMs + 5, {
        event: 'authz_fail',
        userId: 'mallory',
        details: { resource: 'notes', key: String(10_000 + index), action: 'read' },
      }),
    ]).flat()
  const known = by('object-enumeration', 'mallory')
  const unknown = by('object-enumeration-address', stranger.address)
  const others = by('foreign-objects', 'mallory')
  return [
    { ...known, speed: 'fast', what: '1,000 ids, 5/s', steps: asks(insider, 200, 1_000, missing) },
    { ...known, speed: 'slow', what: '1 id in 45 s', steps: asks(insider, 45 * secondMs, 100, missing) },
    { ...known, speed: 'hidden', what: '1 id in 2 min', steps: asks(insider, 2 * minuteMs, 100, missing) },
    { ...unknown, speed: 'fast', what: '1,000 ids, 5/s', steps: asks(stranger, 200, 1_000, missing) },
    { ...unknown, speed: 'slow', what: '1 id in 40 s', steps: asks(stranger, 40 * secondMs, 100, missing) },
    { ...unknown, speed: 'hidden', what: '1 id in 2 min', steps: asks(stranger, 2 * minuteMs, 100, missing) },
    { ...others, speed: 'fast', what: '100 ids, 1/s', steps: foreign(secondMs, 100) },
    { ...others, speed: 'slow', what: '1 id in 5 min', steps: foreign(5 * minuteMs, 100) },
    { ...others, speed: 'hidden', what: '1 id in 10 min', steps: foreign(10 * minuteMs, 100) },
  ]
}

function pathAttacks(): readonly Attack[] {
  const browsing = by('forced-browsing', stranger.address)
  const forbidden = by('forbidden-routes', 'mallory')
  const ofOthers = (index: number): Ask => ({ route: `/api/admin/${index}`, problem: 'FORBIDDEN' })
  const paths = by('scanner-paths', stranger.address)
  const tool = by('scanner', stranger.address)
  const guessed = (index: number): Ask => ({ route: null, target: `/admin/${index}`, problem: 'NOT_FOUND' })
  const famous = (index: number): Ask => ({
    route: null,
    target: scannerPaths[index % scannerPaths.length] ?? '/',
    problem: 'NOT_FOUND',
  })
  const nikto = { ...stranger, userAgent: 'Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:Port Check)' }
  const sqlmap = { ...stranger, userAgent: 'sqlmap/1.9.11#stable (https://sqlmap.org)' }
  const page = (): Ask => ({ route: '/api/public/:page', target: '/api/public/1' })
  const trapped: Pick<Attack, 'detector' | 'isMeant' | 'options'> = {
    ...by('honeytoken', stranger.address),
    options: { honeytokens: { routes: ['/admin.php'], fields: ['nickname2'] } },
  }
  return [
    { ...browsing, speed: 'fast', what: '2,000 paths, 10/s', steps: asks(stranger, 100, 2_000, guessed) },
    { ...browsing, speed: 'slow', what: '1 path in 60 s', steps: asks(stranger, minuteMs, 100, guessed) },
    {
      ...browsing,
      speed: 'hidden',
      what: '1 path in 2 min',
      steps: asks(stranger, 2 * minuteMs, 100, guessed),
    },
    { ...forbidden, speed: 'fast', what: '60 routes, 2/s', steps: asks(insider, 500, 60, ofOthers) },
    {
      ...forbidden,
      speed: 'slow',
      what: '1 route in 5 min',
      steps: asks(insider, 5 * minuteMs, 60, ofOthers),
    },
    { ...forbidden, speed: 'hidden', what: '7 routes', steps: asks(insider, secondMs, 7, ofOthers) },
    { ...paths, speed: 'fast', what: 'a list, 2/s', steps: asks(stranger, 500, 100, famous) },
    { ...paths, speed: 'slow', what: '1 path in 15 min', steps: asks(stranger, 15 * minuteMs, 8, famous) },
    { ...paths, speed: 'hidden', what: '2 paths', steps: asks(stranger, minuteMs, 2, famous) },
    { ...tool, speed: 'fast', what: 'Nikto', steps: asks(nikto, 100, 100, guessed) },
    {
      ...tool,
      speed: 'slow',
      what: 'sqlmap, 1 request in 20 min',
      steps: asks(sqlmap, 20 * minuteMs, 3, page),
    },
    {
      ...tool,
      speed: 'hidden',
      what: 'a scanner that says it is Chrome',
      steps: asks(stranger, minuteMs, 20, page),
    },
    {
      ...trapped,
      speed: 'fast',
      what: 'a path',
      steps: asks(stranger, 1, 1, () => ({ route: null, target: '/admin.php', problem: 'NOT_FOUND' })),
    },
    {
      ...trapped,
      speed: 'slow',
      what: 'a field',
      steps: asks(stranger, 1, 1, () => ({ route: '/api/notes', target: '/api/notes?nickname2=a' })),
    },
  ]
}

function injectionAttacks(): readonly Attack[] {
  const search =
    (list: readonly string[]) =>
    (index: number): Ask => ({
      route: '/api/notes',
      target: `/api/notes?search=${encodeURIComponent(list[index % list.length] ?? '')}`,
    })
  const target =
    (list: readonly string[]) =>
    (index: number): Ask => ({
      route: '/api/notes',
      target: list[index % list.length] ?? '/',
    })
  const sql = by('sql-injection', stranger.address)
  const vagueSql = by('sql-probing', stranger.address)
  const other = by('injection', stranger.address)
  const vague = by('injection-probing', stranger.address)
  return [
    { ...sql, speed: 'fast', what: 'a list, 1/s', steps: asks(stranger, secondMs, 50, search(sqlPayloads)) },
    { ...sql, speed: 'slow', what: 'one', steps: asks(stranger, secondMs, 1, search(sqlPayloads)) },
    {
      ...vagueSql,
      speed: 'fast',
      what: '10 of them, 1/s',
      steps: asks(stranger, secondMs, 10, search(vagueSqlPayloads)),
    },
    {
      ...vagueSql,
      speed: 'slow',
      what: '1 in 5 min',
      steps: asks(stranger, 5 * minuteMs, 10, search(vagueSqlPayloads)),
    },
    {
      ...vagueSql,
      speed: 'hidden',
      what: '1 in 10 min',
      steps: asks(stranger, 10 * minuteMs, 10, search(vagueSqlPayloads)),
    },
    {
      ...other,
      speed: 'fast',
      what: 'a list, 1/s',
      steps: asks(stranger, secondMs, 50, target(injectionTargets)),
    },
    { ...other, speed: 'slow', what: 'one', steps: asks(stranger, secondMs, 1, target(injectionTargets)) },
    {
      ...vague,
      speed: 'fast',
      what: '10 of them, 1/s',
      steps: asks(stranger, secondMs, 10, target(vagueInjectionTargets)),
    },
    {
      ...vague,
      speed: 'slow',
      what: '1 in 5 min',
      steps: asks(stranger, 5 * minuteMs, 10, target(vagueInjectionTargets)),
    },
    {
      ...vague,
      speed: 'hidden',
      what: '1 in 10 min',
      steps: asks(stranger, 10 * minuteMs, 10, target(vagueInjectionTargets)),
    },
  ]
}

/** They come from the browsers of those whom another site abuses. */
function crossSiteAttacks(): readonly Attack[] {
  const victims = (count: number, gapMs: number, ask: Ask): readonly Step[] =>
    Array.from({ length: count }, (_, index) =>
      request(attackMs + index * gapMs, { ...stranger, address: `192.0.8.${index + 1}` }, ask),
    )
  const forged: Ask = { method: 'POST', route: '/api/notes', problem: 'CROSS_SITE_REFUSED' }
  const foreign: Ask = { method: 'OPTIONS', route: '/api/notes', status: 204, isForeignOrigin: true }
  const site: Kind = { detector: 'cross-site-requests', isMeant: () => true }
  const origin: Kind = { detector: 'foreign-origins', isMeant: () => true }
  return [
    { ...site, speed: 'fast', what: '40 victims, 1/s', steps: victims(40, secondMs, forged) },
    { ...site, speed: 'slow', what: '8 victims in 40 min', steps: victims(8, 5 * minuteMs, forged) },
    { ...site, speed: 'hidden', what: '3 victims', steps: victims(3, minuteMs, forged) },
    { ...origin, speed: 'fast', what: '40 victims, 1/s', steps: victims(40, secondMs, foreign) },
    { ...origin, speed: 'slow', what: '12 victims in 48 min', steps: victims(12, 4 * minuteMs, foreign) },
    { ...origin, speed: 'hidden', what: '3 victims', steps: victims(3, minuteMs, foreign) },
  ]
}

function refusedAttacks(): readonly Attack[] {
  const methods = by('unsupported-methods', stranger.address)
  const fuzzing = by('input-fuzzing', 'mallory')
  const strange = by('input-fuzzing-address', stranger.address)
  const excess = by('excess-refusals', 'mallory')
  const excessOfStranger = by('excess-refusals-address', stranger.address)
  const malware = by('malware-upload', 'mallory')
  const malwareOfStranger = by('malware-upload-address', stranger.address)
  const method = (index: number): Ask => ({
    method: ['TRACE', 'PROPFIND', 'DEBUG'][index % 3] ?? 'TRACE',
    route: null,
    target: '/api/notes',
    problem: index % 3 === 0 ? 'METHOD_NOT_ALLOWED' : 'NOT_IMPLEMENTED',
  })
  const unfit = (): Ask => ({ method: 'POST', route: '/api/notes', problem: 'VALIDATION_FAILED' })
  const denied = (): Ask => ({ route: '/api/admin/users', problem: 'FORBIDDEN' })
  const upload = (userId: string | null): Step =>
    event(attackMs, { event: 'upload_validation', outcome: 'failure', userId, address: stranger.address })
  return [
    { ...methods, speed: 'fast', what: '100, 5/s', steps: asks(stranger, 200, 100, method) },
    { ...methods, speed: 'slow', what: '1 in 2 min', steps: asks(stranger, 2 * minuteMs, 100, method) },
    { ...methods, speed: 'hidden', what: '1 in 4 min', steps: asks(stranger, 4 * minuteMs, 100, method) },
    { ...fuzzing, speed: 'fast', what: '500, 5/s', steps: asks(insider, 200, 500, unfit) },
    { ...fuzzing, speed: 'slow', what: '1 in 40 s', steps: asks(insider, 40 * secondMs, 500, unfit) },
    { ...fuzzing, speed: 'hidden', what: '1 in 2 min', steps: asks(insider, 2 * minuteMs, 500, unfit) },
    { ...strange, speed: 'fast', what: '500, 5/s', steps: asks(stranger, 200, 500, unfit) },
    { ...strange, speed: 'slow', what: '1 in 40 s', steps: asks(stranger, 40 * secondMs, 500, unfit) },
    { ...strange, speed: 'hidden', what: '1 in 2 min', steps: asks(stranger, 2 * minuteMs, 500, unfit) },
    { ...excess, speed: 'fast', what: '2,000, 5/s', steps: asks(insider, 200, 2_000, denied) },
    { ...excess, speed: 'slow', what: '1 in 1.5 s', steps: asks(insider, 1_500, 2_000, denied) },
    { ...excess, speed: 'hidden', what: '1 in 4 s', steps: asks(insider, 4_000, 2_000, denied) },
    { ...excessOfStranger, speed: 'fast', what: '2,000, 5/s', steps: asks(stranger, 200, 2_000, denied) },
    { ...excessOfStranger, speed: 'slow', what: '1 in 1.5 s', steps: asks(stranger, 1_500, 2_000, denied) },
    { ...excessOfStranger, speed: 'hidden', what: '1 in 4 s', steps: asks(stranger, 4_000, 2_000, denied) },
    { ...malware, speed: 'fast', what: 'once', steps: [upload(insider.userId)] },
    { ...malwareOfStranger, speed: 'fast', what: 'once', steps: [upload(null)] },
  ]
}
