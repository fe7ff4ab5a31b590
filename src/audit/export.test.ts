import { describe, expect, it } from 'vitest'
import { type EventName, eventCatalogue, type RecordedEvent, recordOf } from '../events/index.ts'
import { exportFormats, exportLine } from './index.ts'

const atMs = Date.parse('2026-03-01T10:00:00.123Z')
const place = { address: '203.0.113.9', route: 'POST /api/auth/login', requestId: 'r1' }
const full = { userId: 'ann', actorId: 'chief', sessionId: 's1', ...place, reason: 'wrong password' }
const names = [...Object.keys(eventCatalogue), 'app_invoice_paid'] as readonly EventName[]

const lineOf = (event: RecordedEvent, format: 'jsonl' | 'ocsf' | 'ecs'): Record<string, unknown> =>
  JSON.parse(exportLine(event, format, '1.2.3'))
const fullEvent = recordOf({ event: 'authn_login_fail', ...full, details: { attempt: 3 } }, atMs)

describe('exporting events', () => {
  it.each(exportFormats)('V16.2.4 writes %s as one line each, whatever stands in it', (format) => {
    for (const event of names) {
      const reason = 'one\ntwo\u2028three'
      const line = exportLine(recordOf({ event, ...full, reason }, atMs), format, '1.2.3')
      expect(line).not.toMatch(/[\n\r]/)
      expect(typeof JSON.parse(line)).toBe('object')
    }
  })

  it('V16.2.2 writes all of an event in our own form', () => {
    const { time, ...rest } = lineOf(fullEvent, 'jsonl')
    const { atMs: _, ...event } = fullEvent
    expect(time).toBe('2026-03-01T10:00:00.123Z')
    expect(rest).toEqual(event)
  })

  it('V16.2.4 writes an authentication in OCSF', () => {
    expect(lineOf(fullEvent, 'ocsf')).toEqual({
      activity_id: 1,
      category_uid: 3,
      category_name: 'Identity & Access Management',
      class_uid: 3002,
      class_name: 'Authentication',
      type_uid: 300_201,
      severity_id: 3,
      severity: 'Medium',
      status_id: 2,
      status: 'Failure',
      status_detail: 'wrong password',
      time: atMs,
      message: 'authn_login_fail',
      metadata: {
        uid: fullEvent.id,
        version: '1.3.0',
        product: { name: 'Holdfast', vendor_name: 'Holdfast', version: '1.2.3' },
        log_name: 'audit',
        correlation_uid: 'r1',
      },
      user: { uid: 'ann' },
      service: { name: 'Holdfast' },
      is_remote: true,
      session: { uid: 's1' },
      actor: { user: { uid: 'chief' } },
      src_endpoint: { ip: '203.0.113.9' },
      http_request: { uid: 'r1' },
      unmapped: { attempt: 3 },
    })
  })

  // What each class requires, from the schema: https://schema.ocsf.io/1.3.0
  const required: Readonly<Record<number, readonly string[]>> = {
    2004: ['finding_info'],
    3001: ['user'],
    3002: ['user', 'service'],
    6002: ['app'],
    6003: ['actor', 'api', 'src_endpoint'],
  }
  const activities: Readonly<Record<number, readonly number[]>> = {
    2004: [1, 2],
    3001: [1, 3, 5, 6, 9],
    3002: [1, 2],
    6002: [3, 4],
    6003: [1, 2, 3, 4],
  }
  it('V16.2.4 gives each event a class of OCSF with all that the class requires', () => {
    for (const event of names)
      for (const more of [full, {}]) {
        const line = lineOf(recordOf({ event, ...more }, atMs), 'ocsf')
        const uid = Number(line['class_uid'])
        const activity = Number(line['activity_id'])
        expect(Object.keys(line), event).toEqual(
          expect.arrayContaining([...(required[uid] ?? ['a known class'])]),
        )
        expect(line['type_uid']).toBe(uid * 100 + activity)
        expect(line['category_uid']).toBe(Math.floor(uid / 1_000))
        if (activity === 99) expect(line['activity_name']).toBe(event)
        else expect(activities[uid], event).toContain(activity)
      }
    const classOf = (event: EventName) => lineOf(recordOf({ event }, atMs), 'ocsf')['class_uid']
    expect(classOf('user_created')).toBe(3001)
    expect(classOf('authz_fail')).toBe(6003)
    expect(classOf('attack_detected')).toBe(2004)
    expect(classOf('sys_startup')).toBe(6002)
  })

  it('V16.2.4 writes ECS', () => {
    expect(lineOf(fullEvent, 'ecs')).toEqual({
      '@timestamp': '2026-03-01T10:00:00.123Z',
      ecs: { version: '8.17.0' },
      event: {
        id: fullEvent.id,
        kind: 'event',
        category: ['authentication'],
        type: ['info'],
        action: 'authn_login_fail',
        outcome: 'failure',
        dataset: 'holdfast.audit',
        module: 'holdfast',
        reason: 'wrong password',
      },
      log: { level: 'warn' },
      message: 'authn_login_fail',
      observer: { product: 'Holdfast', vendor: 'Holdfast', version: '1.2.3' },
      user: { id: 'chief', target: { id: 'ann' } },
      source: { ip: '203.0.113.9' },
      http: { request: { id: 'r1' } },
      labels: { session_id: 's1', route: 'POST /api/auth/login', detail_attempt: '3' },
    })
  })

  // https://www.elastic.co/docs/reference/ecs/ecs-allowed-values-event-category
  const typesOf: Readonly<Record<string, readonly string[]>> = {
    api: [
      'access',
      'admin',
      'allowed',
      'change',
      'creation',
      'deletion',
      'denied',
      'end',
      'info',
      'start',
      'user',
    ],
    authentication: ['start', 'end', 'info'],
    configuration: ['access', 'change', 'creation', 'deletion', 'info'],
    iam: ['admin', 'change', 'creation', 'deletion', 'group', 'info', 'user'],
    intrusion_detection: ['allowed', 'denied', 'info'],
    process: ['access', 'change', 'end', 'info', 'start'],
    session: ['start', 'end', 'info'],
  }
  it('V16.2.4 gives each event a category of ECS with a type that it knows', () => {
    for (const event of names) {
      const { event: said } = lineOf(recordOf({ event }, atMs), 'ecs') as {
        event: { category: string[]; type: string[]; kind: string }
      }
      expect(typesOf[said.category[0] ?? ''], event).toContain(said.type[0])
      expect(['alert', 'event']).toContain(said.kind)
    }
  })
})
