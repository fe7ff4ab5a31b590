import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  makeCertificate,
  type SmtpOptions,
  startMailServer,
  type TestMailServer,
} from '../../test/kit/smtp.ts'
import { Secret } from '../base/index.ts'
import type { RenderedMail } from './letter.ts'
import { connectionOf, isLoopback, type SmtpTimes, smtpTransport } from './smtp.ts'
import { MailRefused } from './transport.ts'

const sender = 'Notes <no-reply@notes.example.com>'
const mail: RenderedMail = {
  to: 'ann@example.com',
  subject: 'Confirm your address for Nötes',
  text: 'Hello\n\nhttps://notes.example.com/account/verify-email#token=abc\n',
  html: '<p>Hello</p>',
  links: ['https://notes.example.com/account/verify-email#token=abc'],
}
const never = new AbortController().signal

// It connects to this machine, and is not written as this machine: for it every rule of the open network counts.
const elsewhere = '0.0.0.0'
const right = makeCertificate(`IP:${elsewhere}`, 'IP:127.0.0.1')
const wrongName = makeCertificate('DNS:mail.example.com', 'DNS:localhost')
const untrusted = makeCertificate(`IP:${elsewhere}`, 'IP:127.0.0.1')

const trustedBefore = getCACertificates('default')
beforeAll(() => setDefaultCACertificates([...trustedBefore, right.cert, wrongName.cert]))
afterAll(() => setDefaultCACertificates(trustedBefore))

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function server(options: SmtpOptions = {}): Promise<TestMailServer> {
  const started = await startMailServer(options)
  closing.unshift(() => started.close())
  return started
}

function transport(url: string, times?: SmtpTimes) {
  const made = smtpTransport(new Secret(url), sender, times)
  closing.unshift(() => made.close())
  return made
}

describe('a mail server', () => {
  it('gets a mail with its text, its HTML and one recipient', async () => {
    const { port, mails } = await server()
    await transport(`smtp://127.0.0.1:${port}`).send(mail, never)
    expect(mails).toHaveLength(1)
    const [got] = mails
    expect(got).toMatchObject({ from: 'no-reply@notes.example.com', to: ['ann@example.com'] })
    expect(got?.headers).toMatchObject({
      from: 'Notes <no-reply@notes.example.com>',
      to: 'ann@example.com',
      'auto-submitted': 'auto-generated',
      subject: '=?UTF-8?Q?Confirm_your_address_for_N=C3=B6tes?=',
    })
    expect(got?.body).toContain(mail.links[0])
    expect(got?.body).toContain('<p>Hello</p>')
  })

  it.each([
    ['p@ss/w:rd', 'p%40ss%2Fw%3Ard'],
    ['100%', '100%25'],
    // Not encoded, as people write it.
    ['100%', '100%'],
  ])('is logged in to with %j where the URL says %s', async (password, written) => {
    const login = { user: 'notes@example.com', password }
    const { port, mails } = await server({ tls: 'implicit', certificate: right, login })
    await transport(`smtps://notes%40example.com:${written}@127.0.0.1:${port}`).send(mail, never)
    expect(mails.map((one) => [one.user, one.isEncrypted])).toEqual([[login.user, true]])
  })

  it('that refuses the login is one to try again', async () => {
    const login = { user: 'notes', password: 'right' }
    const { port, mails } = await server({ tls: 'implicit', certificate: right, login })
    const sent = transport(`smtps://notes:wrong@127.0.0.1:${port}`).send(mail, never)
    await expect(sent).rejects.toMatchObject({ code: 'EAUTH', responseCode: 535 })
    await expect(sent).rejects.not.toBeInstanceOf(MailRefused)
    expect(mails).toEqual([])
  })

  it('V13.2.6 keeps connections for the next mails, few of them', async () => {
    const started = await server()
    const out = transport(`smtp://127.0.0.1:${started.port}`)
    await Promise.all(Array.from({ length: 100 }, () => out.send(mail, never)))
    expect(started.mails).toHaveLength(100)
    expect(started.connectionCount).toBeLessThanOrEqual(4)
  })
})

describe('TLS', () => {
  it('V12.3.1 is demanded off this machine: a server without STARTTLS gets no mail', async () => {
    const { port, mails } = await server({ tls: 'none' })
    await expect(transport(`smtp://${elsewhere}:${port}`).send(mail, never)).rejects.toMatchObject({
      code: 'ETLS',
    })
    expect(mails).toEqual([])
  })

  it('V12.3.1 is spoken from the start, or after STARTTLS', async () => {
    const implicit = await server({ tls: 'implicit', certificate: right })
    await transport(`smtps://${elsewhere}:${implicit.port}`).send(mail, never)
    const upgraded = await server({ tls: 'starttls', certificate: right })
    await transport(`smtp://${elsewhere}:${upgraded.port}`).send(mail, never)
    expect([...implicit.mails, ...upgraded.mails].map((one) => one.isEncrypted)).toEqual([true, true])
  })

  it.each([
    ['that nobody trusts', untrusted],
    ['of another name', wrongName],
  ])('V12.3.2 with a certificate %s is refused', async (_which, certificate) => {
    const implicit = await server({ tls: 'implicit', certificate })
    const upgraded = await server({ tls: 'starttls', certificate })
    for (const url of [
      `smtps://${elsewhere}:${implicit.port}`,
      `smtps://127.0.0.1:${implicit.port}`,
      `smtp://${elsewhere}:${upgraded.port}`,
    ])
      await expect(transport(url).send(mail, never)).rejects.toThrow(/certificate/)
    expect([...implicit.mails, ...upgraded.mails]).toEqual([])
  })

  it('V12.3.2 with a certificate of the name is taken under the name', async () => {
    const { port, mails } = await server({ tls: 'implicit', certificate: wrongName })
    await transport(`smtps://localhost:${port}`).send(mail, never)
    expect(mails).toHaveLength(1)
  })

  it('V12.1.1 before 1.2 is not spoken', async () => {
    const old = { certificate: right, tlsMaxVersion: 'TLSv1.1' } as const
    const implicit = await server({ tls: 'implicit', ...old })
    const upgraded = await server({ tls: 'starttls', ...old })
    for (const url of [`smtps://${elsewhere}:${implicit.port}`, `smtp://${elsewhere}:${upgraded.port}`])
      await expect(transport(url).send(mail, never)).rejects.toThrow(/protocol version/)
    expect([...implicit.mails, ...upgraded.mails]).toEqual([])
  })

  it('is not needed on this machine, whatever its relay has as a certificate', async () => {
    const { port, mails } = await server({ tls: 'starttls', certificate: untrusted })
    await transport(`smtp://127.0.0.1:${port}`).send(mail, never)
    expect(mails.map((one) => one.isEncrypted)).toEqual([false])
    const plain = await server({ tls: 'none' })
    await transport(`smtp://localhost:${plain.port}`).send(mail, never)
    expect(plain.mails).toHaveLength(1)
  })

  it.each([
    ['localhost', true],
    ['127.0.0.1', true],
    ['127.8.9.1', true],
    ['::1', true],
    ['127.0.0.1.evil.example', false],
    ['127.999.1.1', false],
    ['127.1', false],
    ['localhost.evil.example', false],
    ['evil.example', false],
    ['0.0.0.0', false],
    ['::ffff:127.0.0.1', false],
    ['10.0.0.5', false],
    ['', false],
  ])('V12.3.1 may be left out for %j: %s', (host, isHere) => {
    expect(isLoopback(host)).toBe(isHere)
  })

  it('V12.3.1 goes by the host that is connected to', () => {
    const of = (url: string) => connectionOf(new Secret(url))
    expect(of('smtp://LOCALHOST')).toMatchObject({ host: '127.0.0.1', port: 587, requireTLS: false })
    expect(of('smtp://127.0.0.1@mail.example.com')).toMatchObject({
      host: 'mail.example.com',
      requireTLS: true,
    })
    expect(of('smtp://mail.example.com:2525?host=127.0.0.1')).toMatchObject({ port: 2525, requireTLS: true })
    expect(of('smtps://mail.example.com')).toMatchObject({ port: 465, secure: true, requireTLS: false })
    expect(of('smtp://[::1]')).toMatchObject({ host: '::1', requireTLS: false })
    for (const url of ['smtps://mail.example.com', 'smtp://mail.example.com', 'smtp://127.0.0.1'])
      expect(of(url).tls).toMatchObject({ minVersion: 'TLSv1.2', rejectUnauthorized: true })
  })
})

describe('recipients', () => {
  it.each([
    'a@example.com,b@example.com',
    'a@example.com, b@example.com',
    'a@example.com;b@example.com',
    'a@example.com b@example.com',
    '"a@example.com,b"@example.com',
    '"a@evil.example x"@example.com',
    'a@example.com\r\nRCPT TO:<b@example.com>',
    'a@example.com\nBcc: b@example.com',
    'a@example.com\0',
    '<a@example.com>',
    'Ann <a@example.com>',
    'a@example.com>',
    'a@b@example.com',
    'a＠example.com',
    'ａ@example.com',
    'a@exämple.com',
    'a(b)@example.com',
    'group:a@example.com;',
    'a\\@example.com',
    'a@[127.0.0.1]',
    '@example.com',
    'a@',
    'a',
    '',
    `${'a'.repeat(65)}@example.com`,
    `a@${'b'.repeat(254)}`,
  ])('V1.3.11 %j is not one address, and nothing is sent', async (to) => {
    const started = await server()
    const sent = transport(`smtp://127.0.0.1:${started.port}`).send({ ...mail, to }, never)
    await expect(sent).rejects.toBeInstanceOf(MailRefused)
    expect([started.mails, started.connectionCount]).toEqual([[], 0])
  })

  it.each(["o'hara+tag@example.com", 'a.b_c-d@sub.example.com', 'x!#$%&*/=?^`{|}~@example.com'])(
    'V1.3.11 %j is one, and is the only one',
    async (to) => {
      const { port, mails } = await server()
      await transport(`smtp://127.0.0.1:${port}`).send({ ...mail, to }, never)
      expect(mails.map((one) => one.to)).toEqual([[to]])
    },
  )

  it('V1.3.11 of a subject with line breaks are still the one, and there is no other header', async () => {
    const { port, mails } = await server()
    const subject = 'Hello\r\nBcc: victim@example.com\r\n\r\nText'
    await transport(`smtp://127.0.0.1:${port}`).send({ ...mail, subject }, never)
    expect(mails[0]?.to).toEqual(['ann@example.com'])
    expect(mails[0]?.headers).not.toHaveProperty('bcc')
  })

  it('V1.3.11 are refused for a sender that is none', () => {
    for (const from of ['a@x.example, b@y.example', 'Notes <a@x.example>\r\nBcc: c@d.example', 'Notes'])
      expect(() => smtpTransport(new Secret('smtp://127.0.0.1'), from)).toThrow('one address')
  })
})

describe('a refusal', () => {
  it.each([
    ['RCPT TO', 550, true],
    ['RCPT TO', 553, true],
    ['DATA', 554, true],
    ['RCPT TO', 450, false],
    ['RCPT TO', 421, false],
    ['RCPT TO', 503, false],
    ['RCPT TO', 530, false],
    ['DATA', 452, false],
    ['MAIL FROM', 550, false],
    ['greeting', 554, false],
  ] as const)('of %s with %i is for good: %s', async (at, code, isForGood) => {
    const started = await server()
    started.behave({ kind: 'refuses', at, code, text: 'no' })
    const sent = transport(`smtp://127.0.0.1:${started.port}`).send(mail, never)
    const error = await sent.then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(Error)
    expect(error instanceof MailRefused).toBe(isForGood)
  })
})

describe('a server that is silent', () => {
  it('V13.2.6 from the start ends the attempt', async () => {
    const started = await server()
    started.behave({ kind: 'stalls', at: 'greeting' })
    const times: SmtpTimes = { connectMs: 60, silenceMs: 60_000 }
    const sent = transport(`smtp://127.0.0.1:${started.port}`, times).send(mail, never)
    await expect(sent).rejects.toMatchObject({ code: 'ETIMEDOUT', timeoutType: 'GREETING_TIMEOUT' })
  })

  it.each(['MAIL FROM', 'RCPT TO', 'DATA'] as const)('V13.2.6 at %s ends the attempt', async (at) => {
    const started = await server()
    started.behave({ kind: 'stalls', at })
    const times: SmtpTimes = { connectMs: 60_000, silenceMs: 400 }
    const sent = transport(`smtp://127.0.0.1:${started.port}`, times).send(mail, never)
    await expect(sent).rejects.toMatchObject({ code: 'ETIMEDOUT', timeoutType: 'SOCKET_TIMEOUT' })
    await started.stalled(1)
  })

  it('V13.2.6 ends the attempt when its time is over, and the next mail gets another connection', async () => {
    const started = await server()
    started.behave({ kind: 'stalls', at: 'RCPT TO' })
    const out = transport(`smtp://127.0.0.1:${started.port}`)
    const attempt = new AbortController()
    const sent = out.send(mail, attempt.signal)
    await started.stalled(1)
    attempt.abort()
    await expect(sent).rejects.toMatchObject({ code: 'EABORT' })
    started.behave({ kind: 'kind' })
    await out.send(mail, never)
    expect(started.mails).toHaveLength(1)
  })
})
