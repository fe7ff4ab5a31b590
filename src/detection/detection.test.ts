import { describe, expect, it } from 'vitest'
import {
  type Actor,
  type Ask,
  event,
  failedLogin,
  login,
  request,
  type Step,
} from '../../test/corpus/steps.ts'
import { createDetection, type DetectionOptions, type Finding } from './index.ts'

const startMs = 1_795_000_000_000
const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0'
const stranger: Actor = { address: '203.0.113.9', userAgent: browser, userId: null, sessionId: null }
const missing = (path: string): Ask => ({ route: null, target: path, problem: 'NOT_FOUND' })

interface World {
  readonly found: Finding[]
  readonly play: (steps: readonly Step[]) => void
  readonly size: () => ReturnType<typeof createDetection>['size']
}

function world(options: DetectionOptions = {}): World {
  const found: Finding[] = []
  let nowMs = startMs
  const detection = createDetection({
    options,
    nowMs: () => nowMs,
    pseudonymOf: (email) => `p-${email}`,
    onFinding: (finding) => found.push(finding),
  })
  return {
    found,
    size: () => detection.size,
    play(steps) {
      for (const step of steps) {
        nowMs = step.atMs
        if ('request' in step) detection.observeRequest(step.request)
        else detection.observeEvents([step.event])
      }
    },
  }
}

function names({ found }: World): readonly string[] {
  return found.map(({ detector }) => detector)
}

function wrongPasswords(count: number, address: (index: number) => string, gapMs = 1_000): readonly Step[] {
  return Array.from({ length: count }, (_, index) =>
    failedLogin(
      startMs + index * gapMs,
      { ...stranger, address: address(index) },
      { userId: 'victim', pseudonym: 'p' },
    ),
  ).flat()
}

describe('detection', () => {
  it('V6.3.5 finds who guesses at one account from many addresses, and does not lock its owner out', () => {
    const here = world()
    here.play(wrongPasswords(11, (index) => `198.51.100.${index}`))
    expect(here.found).toEqual([])
    here.play(wrongPasswords(1, () => '198.51.100.200'))
    expect(here.found).toMatchObject([
      {
        detector: 'brute-force-account',
        subject: { by: 'account', value: 'victim' },
        count: 12,
        firstMs: startMs,
        responses: ['alert'],
      },
    ])
    expect(here.found[0]?.addresses).toHaveLength(12)
  })

  it('V6.3.5 counts addresses of one /64 as one', () => {
    const here = world()
    here.play(wrongPasswords(15, (index) => `2001:db8:0:1::${index.toString(16)}`))
    expect(here.found.find(({ detector }) => detector === 'brute-force-address')?.subject.value).toBe(
      '2001:db8:0:1::/64',
    )
  })

  it('V16.3.3 forgets what is older than the window', () => {
    const here = world()
    here.play(wrongPasswords(30, (index) => `198.51.${index}.1`, 400_000))
    expect(here.found).toEqual([])
  })

  it('V16.3.3 tells once, then again after a quiet time, and more when it gets worse', () => {
    const here = world()
    const paths = (from: number, count: number, atMs: number): readonly Step[] =>
      Array.from({ length: count }, (_, index) => request(atMs, stranger, missing(`/a/${from + index}`)))
    here.play(paths(0, 149, startMs))
    expect(here.found.map(({ responses }) => responses)).toEqual([['alert', 'slow-down']])
    here.play(paths(149, 20, startMs + 1_000))
    expect(here.found.map(({ responses }) => responses)[1]).toEqual(['alert', 'ban-address'])
    expect(here.found).toHaveLength(2)
    here.play(paths(1_000, 200, startMs + 3_700_000))
    expect(here.found).toHaveLength(4)
  })

  it('V16.3.3 lets many people behind one address be many people', () => {
    const typos = (count: number): readonly Step[] =>
      Array.from({ length: count }, (_, index) =>
        failedLogin(startMs, stranger, { userId: `u-${index}`, pseudonym: `${index}` }),
      ).flat()
    const office = world()
    office.play(
      Array.from({ length: 100 }, (_, index) => login(startMs, stranger, `in-${index}`, `s-${index}`)).flat(),
    )
    office.play(typos(30))
    expect(office.found).toEqual([])
    const alone = world()
    alone.play(typos(30))
    expect(names(alone)).toContain('password-spraying')
  })

  it('V16.3.3 says nothing of a share of everybody, once there are more than it can count', () => {
    const failures = Array.from({ length: 7_000 }, (_, index) =>
      event(startMs, {
        event: 'authn_login_fail',
        userId: `f-${index}`,
        address: `10.1.${index >> 8}.${index & 255}`,
      }),
    )
    const successes = (count: number): readonly Step[] =>
      Array.from({ length: count }, (_, index) =>
        event(startMs, {
          event: 'authn_login_success',
          userId: `in-${index}`,
          address: `10.2.${index >> 8}.${index & 255}`,
        }),
      )
    const [quiet, busy] = [world(), world()]
    quiet.play([...successes(19_999), ...failures])
    busy.play([...successes(20_000), ...failures])
    expect(names(quiet)).toContain('distributed-spraying')
    expect(names(busy)).not.toContain('distributed-spraying')
  })

  it('V16.3.3 does not find itself', () => {
    const here = world()
    const told = {
      detector: 'brute-force-account',
      points: 'AE2',
      count: 12,
      windowMs: 1,
      by: 'account',
      severity: 'warn',
    }
    for (const name of ['authn_login_fail', 'authn_token_reuse', 'upload_validation'] as const)
      here.play(
        Array.from({ length: 100 }, () =>
          event(startMs, {
            event: name,
            outcome: 'failure',
            userId: 'a',
            sessionId: 's',
            address: '192.0.2.1',
            details: told,
          }),
        ),
      )
    expect(here.found).toEqual([])
  })

  it('V7.4.1 a token that is used twice ends the session at once', () => {
    const here = world()
    here.play([
      event(startMs, { event: 'authn_token_reuse', userId: 'u', sessionId: 's', address: '192.0.2.1' }),
    ])
    expect(here.found).toMatchObject([
      {
        detector: 'token-reuse',
        subject: { by: 'session', value: 's' },
        accounts: ['u'],
        responses: ['alert', 'revoke-sessions'],
      },
    ])
  })

  it('V7.4.1 a session that moves with its browser, or updates it, has not been stolen', () => {
    const owner: Actor = { ...stranger, userId: 'u', sessionId: 's' }
    const page = { route: '/api/notes' }
    const here = world()
    here.play([
      request(startMs, owner, page),
      request(startMs + 1, { ...owner, address: '198.51.100.4' }, page),
      request(
        startMs + 2,
        { ...owner, address: '192.0.2.4', userAgent: browser.replaceAll('144', '145') },
        page,
      ),
    ])
    // Two browsers that share a session at one address, such as an application and its helper.
    here.play([request(startMs + 90_000, { ...owner, address: '192.0.2.4', userAgent: 'curl/8.16.0' }, page)])
    expect(here.found).toEqual([])
    here.play([
      request(startMs + 90_001, { ...owner, address: '192.0.2.66', userAgent: 'curl/8.16.0' }, page),
    ])
    expect(here.found).toMatchObject([{ detector: 'session-moved', subject: { by: 'session', value: 's' } }])
  })

  it('V16.3.3 nothing is counted of a request that a ban has refused', () => {
    const here = world()
    here.play([
      request(
        startMs,
        { ...stranger, userAgent: 'sqlmap/1.9' },
        { route: null, target: '/.env', problem: 'ABNORMAL_USAGE' },
      ),
    ])
    expect(here.found).toEqual([])
  })

  it('V16.3.3 a method that nobody knows is counted, although its answer is 501', () => {
    const here = world()
    const ask: Ask = { method: 'PROPFIND', route: null, target: '/', problem: 'NOT_IMPLEMENTED' }
    here.play(Array.from({ length: 20 }, () => request(startMs, stranger, ask)))
    expect(names(here)).toEqual(['unsupported-methods'])
  })
})

describe('what needs no account', () => {
  it('V5.4.3 an infected upload is told of, with an account and without', () => {
    const upload = { event: 'upload_validation', outcome: 'failure', address: stranger.address } as const
    for (const userId of ['u', null]) {
      const here = world()
      here.play([event(startMs, { ...upload, userId })])
      const [name, subject] =
        userId === null
          ? ['malware-upload-address', { by: 'address', value: stranger.address }]
          : ['malware-upload', { by: 'account', value: userId }]
      expect(here.found).toMatchObject([{ detector: name, subject, responses: ['alert'] }])
      here.play([event(startMs, { ...upload, userId, outcome: 'success' })])
      expect(here.found).toHaveLength(1)
    }
  })
})

describe('routes that are forbidden', () => {
  const insider: Actor = { ...stranger, userId: 'u', sessionId: 's' }
  const forbidden = (index: number): Step =>
    request(startMs + index, insider, { route: `/api/admin/${index}`, problem: 'FORBIDDEN' })

  it('V8.3.1 an account that tries one after the other is found, and asked for its password when it goes on', () => {
    const here = world()
    here.play(Array.from({ length: 7 }, (_, index) => forbidden(index)))
    expect(here.found).toEqual([])
    here.play([forbidden(7)])
    expect(here.found).toMatchObject([
      {
        detector: 'forbidden-routes',
        subject: { by: 'account', value: 'u' },
        count: 8,
        responses: ['alert', 'slow-down'],
      },
    ])
    here.play(Array.from({ length: 17 }, (_, index) => forbidden(8 + index)))
    expect(here.found[1]).toMatchObject({ count: 25, responses: ['alert', 'step-up'] })
  })

  it('V16.3.3 a page that asks for the same forbidden thing again and again is none', () => {
    const here = world()
    here.play(Array.from({ length: 200 }, (_, index) => forbidden(index % 4)))
    expect(here.found).toEqual([])
  })
})

describe('choices about detection', () => {
  it('V16.3.3 honeytokens fire at once', () => {
    const honeytokens = {
      fields: ['fax2'],
      routes: ['/admin.php'],
      credentials: ['Backup@example.com', 'nobody'],
    }
    const touches: readonly (readonly Step[])[] = [
      [request(startMs, stranger, missing('/Admin.php?x=1'))],
      [request(startMs, stranger, { route: '/api/notes', target: '/api/notes?fax2=1' })],
      [
        event(startMs, {
          event: 'malicious_extraneous',
          address: stranger.address,
          details: { field: 'fax2' },
        }),
      ],
      failedLogin(startMs, stranger, { userId: null, pseudonym: 'p-backup@example.com' }),
      // A decoy that has an account: the event names both.
      failedLogin(startMs, stranger, { userId: 'decoy', pseudonym: 'p-backup@example.com' }),
      login(startMs, stranger, 'nobody', 's'),
    ]
    for (const touch of touches) {
      const [here, without] = [world({ honeytokens }), world()]
      here.play(touch)
      without.play(touch)
      expect(names(here)).toEqual(['honeytoken'])
      expect(without.found).toEqual([])
    }
  })

  it('V16.3.3 privileges that change at night are found where there are working hours', () => {
    const changed = (time: string): Step =>
      event(Date.parse(time), { event: 'privilege_permissions_changed', userId: 'u', actorId: 'admin' })
    const here = world({ workingHours: { timeZone: 'Europe/Berlin', from: '08:00', to: '18:00' } })
    // Summer and winter, a Tuesday and a Saturday.
    here.play([changed('2026-07-14T06:30:00Z'), changed('2026-11-24T16:30:00Z')])
    expect(here.found).toEqual([])
    here.play([changed('2026-11-24T17:30:00Z')])
    here.play([changed('2026-11-28T10:00:00Z')])
    expect(here.found.map(({ subject }) => subject)).toEqual([
      { by: 'account', value: 'admin' },
      { by: 'account', value: 'admin' },
    ])
  })

  it('V16.3.3 of a scanner of your own nothing is found', () => {
    const scan = (address: string): readonly Step[] => [
      request(startMs, { ...stranger, address, userAgent: 'Nikto' }, missing('/.env')),
      request(
        startMs,
        { ...stranger, address },
        { route: '/api/notes', target: '/api/notes?q=%27or%20%271%27=%271' },
      ),
    ]
    const here = world({ trustedScanners: ['192.0.2.0/28', '2001:db8::5'] })
    here.play([...scan('192.0.2.5'), ...scan('2001:db8::5')])
    here.play([event(startMs, { event: 'authn_token_reuse', sessionId: 's', address: '192.0.2.5' })])
    expect(here.found).toEqual([])
    here.play(scan('192.0.2.77'))
    expect(names(here)).toEqual(['scanner', 'sql-injection'])
  })

  it('V16.3.3 a server of your own may use the sessions of those for whom it renders', () => {
    const user: Actor = { ...stranger, userId: 'u', sessionId: 's' }
    const page = { route: '/api/notes' }
    const asks = [
      request(startMs, { ...user, address: '192.0.2.5', userAgent: 'node' }, page),
      request(startMs + 1, user, page),
    ]
    const [here, without] = [world({ trustedScanners: ['192.0.2.5'] }), world()]
    here.play(asks)
    without.play(asks)
    expect(here.found).toEqual([])
    expect(names(without)).toEqual(['session-moved'])
  })

  it('V16.3.3 a detector can be changed, and switched off', () => {
    const here = world({
      detectors: { 'brute-force-account': { thresholdCount: 3, responses: ['step-up'] } },
    })
    here.play(wrongPasswords(3, (index) => `198.51.100.${index}`))
    expect(here.found).toMatchObject([{ count: 3, responses: ['step-up'] }])
    for (const options of [{ mode: 'off' }, { detectors: { 'brute-force-account': 'off' } }] as const) {
      const silent = world(options)
      silent.play(wrongPasswords(14, (index) => `198.51.100.${index}`))
      expect(silent.found).toEqual([])
    }
    const dry = world({ mode: 'dry-run' })
    dry.play(wrongPasswords(12, (index) => `198.51.100.${index}`))
    expect(names(dry)).toEqual(['brute-force-account'])
  })

  it('V16.5.3 everything that is wrong is said at once', () => {
    const options = {
      mode: 'maybe',
      detectors: {
        'brute-farce': {},
        scanner: { thresholdCount: 0, windowMs: '1h', responses: ['shout'], color: 1 },
        'sql-injection': { escalation: { thresholdCount: 1 } },
        honeytoken: { escalation: { thresholdCount: 5 } },
      },
      honeytokens: { routes: ['admin.php'], fields: 'x' },
      workingHours: { timeZone: 'Mars/North', from: '8', to: '18:00', days: [] },
      trustedScanners: ['192.0.2.0/40'],
      subjectCount: Number.NaN,
      thresholds: {},
    }
    const faulty = (): unknown =>
      Reflect.apply(createDetection, undefined, [{ options, onFinding: () => undefined }])
    expect(faulty).toThrow(
      expect.objectContaining({
        name: 'DetectionFault',
        faults: [
          'thresholds',
          'mode',
          'subjectCount',
          'detectors.brute-farce',
          'detectors.scanner.color',
          'detectors.scanner.thresholdCount',
          'detectors.scanner.windowMs',
          'detectors.scanner.responses',
          'detectors.sql-injection.escalation.thresholdCount',
          'detectors.honeytoken.escalation',
          'honeytokens.fields',
          'honeytokens.routes',
          'workingHours.timeZone',
          'workingHours.from',
          'workingHours.days',
          'trustedScanners',
        ].map((option) => expect.stringContaining(`${option}: `)),
      }),
    )
  })
})

describe('what detection remembers', () => {
  it('V15.2.2 is bounded, whatever is sent', () => {
    const here = world({ subjectCount: 500 })
    for (let index = 0; index < 30_000; index++) {
      const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`
      const actor: Actor = {
        address,
        userAgent: `agent ${index}`,
        userId: `u-${index}`,
        sessionId: `s-${index}`,
      }
      here.play([
        request(startMs, actor, {
          route: '/api/notes/:id',
          target: `/api/notes/${index}`,
          problem: 'NOT_FOUND',
        }),
        ...failedLogin(startMs, actor, { userId: `u-${index}`, pseudonym: `p-${index}` }),
      ])
    }
    const { subjectCount, valueCount, sessionCount } = here.size()
    expect(sessionCount).toBe(500)
    // Each of the 31 detectors has at most 500 subjects, whose values have a bound of their own: see tally.test.ts.
    expect(subjectCount).toBeLessThanOrEqual(500 * 31)
    expect(valueCount).toBeLessThanOrEqual(100_000)
    expect(
      Math.max(...here.found.flatMap(({ addresses, accounts }) => [addresses.length, accounts.length])),
    ).toBe(50)
  })

  it('V15.2.2 is bounded for each subject too', () => {
    const here = world()
    here.play(Array.from({ length: 5_000 }, (_, index) => request(startMs, stranger, missing(`/a/${index}`))))
    expect(here.size().valueCount).toBeLessThanOrEqual(200)
    expect(here.found.map(({ detector, count }) => [detector, count])).toContainEqual([
      'forced-browsing',
      150,
    ])
  })

  it('V15.2.2 somebody at work is not driven out by new addresses', () => {
    const here = world({ subjectCount: 100 })
    for (let index = 0; index < 39; index++) {
      here.play([request(startMs + index, stranger, missing(`/a/${index}`))])
      for (let other = 0; other < 90; other++)
        here.play([
          request(startMs + index, { ...stranger, address: `10.0.${index}.${other}` }, missing('/b')),
        ])
    }
    here.play([request(startMs + 99, stranger, missing('/a/last'))])
    expect(names(here)).toContain('forced-browsing')
  })

  it('V16.2.5 a finding has nothing in it that was sent', () => {
    const here = world()
    here.play([
      request(
        startMs,
        { ...stranger, userAgent: 'sqlmap/1.9 needle' },
        { route: '/api/notes', target: "/api/notes?needle=needle'%20or%20'1'='1" },
      ),
    ])
    expect(names(here)).toEqual(['sql-injection', 'scanner'])
    expect(JSON.stringify(here.found)).not.toContain('needle')
  })

  it('V16.5.3 whoever takes findings and throws stops nothing', () => {
    let told = 0
    const detection = createDetection({
      onFinding() {
        told += 1
        throw new TypeError('no')
      },
    })
    const step = request(startMs, { ...stranger, userAgent: 'sqlmap/1.9' }, { route: '/' })
    if ('request' in step) detection.observeRequest(step.request)
    expect(told).toBe(1)
  })
})
