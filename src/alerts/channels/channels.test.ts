import { createHmac } from 'node:crypto'
import { setDefaultCACertificates } from 'node:tls'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type AlertReceiver,
  framesIn,
  startAlertReceiver,
  startSyslogReceiver,
  until,
} from '../../../test/kit/alert-receivers.ts'
import { type Certificate, makeCertificate } from '../../../test/kit/smtp.ts'
import { Secret } from '../../base/index.ts'
import type { Alert } from '../alert.ts'
import type { AlertChannel, AlertMessage } from './channel.ts'
import { alertChannels } from './index.ts'
import { alertLetter, mailChannel } from './mail.ts'
import { pagerDutyChannel, pagerDutyPost } from './pagerduty.ts'
import { escaped, slackChannel, slackPost } from './slack.ts'
import { syslogChannel, syslogMessage } from './syslog.ts'
import { signatureOf, webhookChannel, webhookPost } from './webhook.ts'

const alert: Alert = {
  ...{ id: '0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e4f', state: 'open', severity: 'critical' },
  ...{ title: 'Password spraying, id enumeration', count: 120 },
  summary: '53 accounts were tried from 203.0.113.9 within 5 minutes.',
  detectors: ['password-spraying', 'id-enumeration'],
  ...{ openedAt: '2026-11-21T07:05:00.000Z', firstAt: '2026-11-21T07:04:10.000Z' },
  ...{ lastAt: '2026-11-21T07:20:00.000Z', changedAt: '2026-11-21T07:20:00.000Z' },
  samples: {
    addresses: ['203.0.113.9', '2001:db8::7'],
    accounts: ['0199f3b2-0000-7000-9d3b-5a1b0c2d3e4f'],
    sessions: [],
    routes: ['POST /auth/login', 'GET /api/notes/:id'],
  },
  ...{ acknowledgedAt: null, acknowledgedBy: null, closedAt: null, closedBy: null },
  ...{ reason: null, mergedInto: null },
}
const message: AlertMessage = {
  id: '0199f3b2-7c20-7000-9d3b-5a1b0c2d3e4f',
  news: 'opened',
  alert,
  nowMs: Date.parse('2026-11-21T07:20:01.500Z'),
}
const secret = new Secret(Buffer.from('q7Jf0cN2xW8sK4mZ1vB6tY9rD3hL5gPaUoEiQwRjXkM=', 'base64'))
const key = new Secret('a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6')
const source = 'notes.example.com'
const toDo: (() => Promise<void>)[] = []
let certificate: Certificate
let stranger: Certificate

beforeAll(() => {
  certificate = makeCertificate('IP:127.0.0.1')
  stranger = makeCertificate('DNS:elsewhere.example')
  setDefaultCACertificates([certificate.cert, stranger.cert])
})

afterEach(async () => {
  for (const undo of toDo.splice(0).reverse()) await undo()
})

async function receiver(tls?: Certificate): Promise<AlertReceiver> {
  const started = await startAlertReceiver(tls)
  toDo.push(() => started.close())
  return started
}

function send(channel: AlertChannel, about: Partial<AlertMessage> = {}): Promise<void> {
  return channel.send({ ...message, ...about }, AbortSignal.timeout(10_000))
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

describe('the webhook', () => {
  it('V11.4.1 is signed as Standard Webhooks says', async () => {
    const hook = await receiver()
    await send(webhookChannel({ url: new Secret(hook.url), secret }))
    const headers = hook.posts[0]?.headers ?? {}
    const body = hook.posts[0]?.body ?? ''
    expect(headers['webhook-id']).toBe(message.id)
    expect(headers['webhook-timestamp']).toBe('1795245601')
    expect(headers['content-type']).toBe('application/json')
    const signed = `${message.id}.1795245601.${body}`
    const expected = createHmac('sha256', secret.reveal()).update(signed).digest('base64')
    expect(headers['webhook-signature']).toBe(`v1,${expected}`)
    expect(JSON.parse(body)).toEqual({
      type: 'alert.opened',
      timestamp: '2026-11-21T07:20:01.500Z',
      data: alert,
    })
  })

  it('V11.4.1 signs like the reference libraries', () => {
    const given = new Secret(Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'))
    const signed = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: '1614265330' }
    expect(signatureOf({ ...signed, body: '{"test": 2432232314}' }, given)).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    )
  })

  it('V12.3.2 speaks TLS to who it should be, and to nobody else', async () => {
    const [right, wrong] = [await receiver(certificate), await receiver(stranger)]
    await send(webhookChannel({ url: new Secret(right.url), secret }))
    expect(right.posts).toHaveLength(1)
    const failed = await send(webhookChannel({ url: new Secret(wrong.url), secret })).catch(said)
    expect(failed).toBe('the certificate of the receiver is not trusted')
    expect(wrong.posts).toHaveLength(0)
  })

  it.each(['http://hooks.example.com/x', 'ftp://127.0.0.1/x', 'http://127.0.0.1.evil.example/x', 'no url'])(
    'V12.3.1 refuses %s, without repeating it',
    (url) => {
      const open = () => webhookChannel({ url: new Secret(url), secret })
      expect(open).toThrow('An alert is posted to an https URL, or to http on this machine.')
      expect(() => slackChannel(new Secret(url))).toThrow('https URL')
      expect(() => pagerDutyChannel({ url: new Secret(url), key }, source)).toThrow('https URL')
    },
  )

  it('V15.3.2 follows no redirect', async () => {
    const [hook, other] = [await receiver(), await receiver()]
    hook.behave({ kind: 'answers', status: 307, headers: { location: other.url } })
    const failed = await send(webhookChannel({ url: new Secret(hook.url), secret })).catch(said)
    expect([failed, other.posts.length]).toEqual(['the receiver answered 307', 0])
  })

  it('V16.5.2 breaks off an answer without end, and one that does not come', async () => {
    const hook = await receiver()
    const channel = webhookChannel({ url: new Secret(hook.url), secret })
    hook.behave({ kind: 'babbles' })
    await channel.send(message, new AbortController().signal)
    await until(() => hook.openCount === 0)
    hook.behave({ kind: 'stalls' })
    const failed = await channel.send(message, AbortSignal.timeout(200)).catch(said)
    expect(failed).toBe('the receiver did not answer in time')
    await until(() => hook.openCount === 0)
  })

  it('V16.2.5 says in fixed words why it failed', async () => {
    const hook = await receiver()
    hook.behave({ kind: 'answers', status: 400 })
    const channel = webhookChannel({ url: new Secret(hook.url), secret })
    expect(await send(channel).catch(said)).toBe('the receiver answered 400')
    const gone = webhookChannel({ url: new Secret('https://127.0.0.1:1/token-abc'), secret })
    expect(await send(gone).catch(said)).toBe('the receiver refused the connection')
    const plain = webhookChannel({ url: new Secret(hook.url.replace('http:', 'https:')), secret })
    expect(await send(plain).catch(said)).toBe('the receiver does not speak TLS 1.2 or later')
  })
})

describe('the chat', () => {
  it('V16.3.3 gets a text and blocks of plain text', async () => {
    const chat = await receiver()
    await send(slackChannel(new Secret(chat.url)))
    const body = JSON.parse(chat.posts[0]?.body ?? '')
    expect(body.text).toBe(
      'New critical alert: Password spraying, id enumeration. 53 accounts were tried from 203.0.113.9 within 5 minutes.',
    )
    expect(body.blocks.map((block: { type: string }) => block.type)).toEqual(['header', 'section', 'section'])
    expect(body.blocks[2].text).toEqual({
      type: 'plain_text',
      emoji: false,
      text: [
        'Findings: 120',
        'Detectors: password-spraying, id-enumeration',
        'Time: 2026-11-21T07:04:10.000Z to 2026-11-21T07:20:00.000Z',
        'Addresses: 203.0.113.9, 2001:db8::7',
        'Accounts: 0199f3b2-0000-7000-9d3b-5a1b0c2d3e4f',
        'Routes: POST /auth/login, GET /api/notes/:id',
        `Alert: ${alert.id}`,
      ].join('\n'),
    })
  })

  it('V1.2.1 escapes what Slack gives a meaning', () => {
    expect(escaped('<!channel> & <@U1>')).toBe('&lt;!channel&gt; &amp; &lt;@U1&gt;')
  })
})

describe('PagerDuty', () => {
  it('V16.3.3 gets one incident for an alert', async () => {
    const pager = await receiver()
    const channel = pagerDutyChannel({ url: new Secret(pager.url), key }, source)
    await send(channel)
    await send(channel, { news: 'acknowledged', alert: { ...alert, state: 'acknowledged' } })
    await send(channel, { news: 'grown', alert: { ...alert, state: 'acknowledged' } })
    await send(channel, { news: 'closed', alert: { ...alert, state: 'closed' } })
    const bodies = pager.posts.map(({ body }) => JSON.parse(body))
    expect(bodies.map((body) => body.event_action)).toEqual(['trigger', 'acknowledge', 'trigger', 'resolve'])
    expect(new Set(bodies.map((body) => `${body.routing_key} ${body.dedup_key}`))).toEqual(
      new Set([`${key.reveal()} ${alert.id}`]),
    )
    expect(bodies[0].payload).toMatchObject({
      ...{ source, severity: 'critical', timestamp: alert.firstAt, class: 'password-spraying' },
      custom_details: { Findings: '120', Addresses: '203.0.113.9, 2001:db8::7' },
    })
  })
})

describe('syslog', () => {
  const priority = '<106>1 2026-11-21T07:20:01.500Z'

  it('V16.4.3 is a message of RFC 5424', () => {
    expect(syslogMessage(message, { source, host: 'node-1', processId: 7 })).toBe(
      `${priority} node-1 holdfast 7 alert-opened [alert@32473 id="${alert.id}" delivery="${message.id}" ` +
        'state="open" severity="critical" count="120" detectors="password-spraying,id-enumeration" ' +
        'first="2026-11-21T07:04:10.000Z" last="2026-11-21T07:20:00.000Z" ' +
        'addresses="203.0.113.9, 2001:db8::7" accounts="0199f3b2-0000-7000-9d3b-5a1b0c2d3e4f" ' +
        'source="notes.example.com"] New critical alert: Password spraying, id enumeration. ' +
        '53 accounts were tried from 203.0.113.9 within 5 minutes.',
    )
  })

  it.each(['udp', 'tcp', 'tls'] as const)('V16.4.3 goes by %s', async (protocol) => {
    const log = await startSyslogReceiver(protocol, certificate)
    toDo.push(() => log.close())
    const channel = syslogChannel({ protocol, host: '127.0.0.1', port: log.port }, source)
    await send(channel)
    await send(channel, { news: 'closed' })
    await log.received(2)
    expect(log.messages[0]?.startsWith(priority)).toBe(true)
    expect(log.messages.map((text) => / alert-(opened|closed) \[alert@32473 /.exec(text)?.[1])).toEqual([
      ...['opened', 'closed'],
    ])
  })

  it('V12.3.2 speaks TLS to who it should be, and to nobody else', async () => {
    const log = await startSyslogReceiver('tls', stranger)
    toDo.push(() => log.close())
    const channel = syslogChannel({ protocol: 'tls', host: '127.0.0.1', port: log.port }, source)
    expect(await send(channel).catch(said)).toBe('the certificate of the receiver is not trusted')
    expect(log.messages).toEqual([])
  })

  it('V16.5.2 says in fixed words why it failed', async () => {
    const gone = syslogChannel({ protocol: 'tcp', host: '127.0.0.1', port: 1 }, source)
    expect(await send(gone).catch(said)).toBe('the receiver refused the connection')
    const nobody = syslogChannel({ protocol: 'udp', host: 'nobody.invalid', port: 514 }, source)
    expect(await send(nobody).catch(said)).toMatch(/^the name of the receiver/)
  })

  it('V16.4.1 counts octets, not characters', () => {
    const line = Buffer.from('häl\nlo')
    expect(framesIn(Buffer.concat([Buffer.from(`${line.length} `), line]))).toEqual(['häl\nlo'])
    const named = syslogMessage(
      { ...message, alert: { ...alert, summary: 'Größe' } },
      { source, host: 'a', processId: 1 },
    )
    expect(named).toContain('] \ufeffNew critical alert')
  })
})

describe('mail', () => {
  it('V16.3.3 says the same, to everybody on the list, and not that somebody has acknowledged', async () => {
    const sent: unknown[] = []
    const channel = mailChannel({
      to: ['ops@example.com', 'night@example.com'],
      sendMail: async (to, letter) => void sent.push([to, letter]),
    })
    await send(channel)
    expect(sent).toEqual([[['ops@example.com', 'night@example.com'], alertLetter(message)]])
    expect(alertLetter(message).subject).toBe('New critical alert: Password spraying, id enumeration')
    expect(alertLetter(message).lines[0]).toBe(alert.summary)
    expect(channel.news).toEqual(['opened', 'grown', 'closed'])
  })
})

describe('what an attacker has written', () => {
  const hostile = [
    '<!channel> @here @everyone <@U123> <https://evil.example|click>',
    'http://evil.example/x www.evil.example [click](http://evil.example) *bold* `code`',
    'one\r\nBcc: x@evil.example\r\n\r\n<script>alert(1)</script>',
    '\u001b[31mred\u001b[0m \u202egpj.exe \u0000 \u2028 "quoted" \\ ] [x@32473 y="z"]',
    '<34>1 2026-01-01T00:00:00Z a b c d - forged',
  ]
  const evil: AlertMessage = {
    ...message,
    news: 'closed',
    alert: {
      ...alert,
      ...{ title: hostile.join(' '), summary: hostile.join(' '), reason: hostile.join(' ') },
      detectors: hostile,
      samples: { addresses: hostile, accounts: hostile, sessions: hostile, routes: hostile },
    },
  }
  // Characters without which there is no link, no mention, no markup, no colour and no new line.
  const harmful = /[<>@`*[\]|\\"]|:\/\/|www\.|evil\.example|[\p{C}\p{Zl}\p{Zp}]/u

  it('V1.2.1 is plain words in mails', () => {
    const { subject, lines } = alertLetter(evil)
    for (const line of [subject, ...lines]) expect(line).not.toMatch(harmful)
  })

  it('V1.2.1 is plain words in chats', () => {
    const { text, blocks } = JSON.parse(slackPost(evil).body)
    expect(text).not.toMatch(harmful)
    for (const block of blocks)
      for (const line of block.text.text.split('\n')) expect(line).not.toMatch(harmful)
    expect(blocks.every((block: { text: { type: string } }) => block.text.type === 'plain_text')).toBe(true)
  })

  it('V1.2.1 is plain words in incidents', () => {
    const { payload } = JSON.parse(pagerDutyPost(evil, { key, source }).body)
    for (const line of [payload.summary, ...Object.values(payload.custom_details)])
      expect(line).not.toMatch(harmful)
  })

  it('V16.4.1 ends no value and begins no line in syslog', () => {
    const line = syslogMessage(evil, { source, host: 'node-1', processId: 7 })
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u)
    const structured =
      /^<\d+>1 \S+ \S+ \S+ \S+ \S+ \[alert@32473(?<data>(?: [a-z]+="(?:[^"\\\]]|\\["\\\]])*")*)\] (?<text>.*)$/u
    const { data = '', text = '' } = structured.exec(line)?.groups ?? {}
    expect([...data.matchAll(/ ([a-z]+)="/g)].map(([, name]) => name)).toHaveLength(11)
    expect(text).not.toMatch(harmful)
  })

  it('V1.2.1 stays JSON in the webhook', () => {
    const { body } = webhookPost(evil, secret)
    expect(JSON.parse(body).data.samples.addresses).toEqual(hostile)
    expect(body.split('\n')).toHaveLength(1)
  })
})

describe('channels', () => {
  it('V16.3.3 are those that are set up', () => {
    const nowhere = { mailTo: [], webhook: null, slack: null, pagerDuty: null, syslog: null }
    const parts = { source, sendMail: async () => undefined }
    expect(alertChannels(nowhere, parts)).toEqual([])
    const url = new Secret('https://hooks.example.com/a')
    const all = alertChannels(
      {
        ...{ mailTo: ['ops@example.com'], webhook: { url, secret }, slack: url },
        ...{ pagerDuty: { url, key }, syslog: { protocol: 'udp', host: '127.0.0.1', port: 514 } },
      },
      parts,
    )
    expect(all.map(({ name }) => name)).toEqual(['mail', 'webhook', 'slack', 'pagerduty', 'syslog'])
  })
})
