import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'

/** A certificate that signs itself, and its key, as PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** Makes a certificate for names, `DNS:localhost` or `IP:127.0.0.1`. Trust it with `tls.setDefaultCACertificates`. */
export function makeCertificate(...names: readonly string[]): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-smtp-'))
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  const subject = ['-subj', '/CN=Mail server of a test', '-addext', `subjectAltName=${names.join(',')}`]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const output = ['-keyout', paths.key, '-out', paths.cert]
  try {
    execFileSync('openssl', ['req', '-x509', ...kind, ...subject, ...output], { stdio: 'ignore' })
    return { cert: readFileSync(paths.cert, 'utf8'), key: readFileSync(paths.key, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A mail as the server has taken it. */
export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** All of it, headers first, as it came. */
  readonly raw: string
  /** Header fields by their names in small letters; folded lines are one. */
  readonly headers: Readonly<Record<string, string>>
  /** The body with quoted-printable undone. */
  readonly body: string
  readonly isEncrypted: boolean
  /** Who was logged in. */
  readonly user: string | null
}

/** Where in the conversation a server does something unpleasant. */
export type SmtpStep = 'greeting' | 'MAIL FROM' | 'RCPT TO' | 'DATA'

/** What a server does. */
export type SmtpManner =
  | { readonly kind: 'kind' }
  | { readonly kind: 'refuses'; readonly at: SmtpStep; readonly code: number; readonly text: string }
  /** Never says another word. */
  | { readonly kind: 'stalls'; readonly at: SmtpStep }
  /** Takes the mail, and its connections break before it can say so. */
  | { readonly kind: 'dies' }

/** What a server is started with. */
export interface SmtpOptions {
  /** `none` offers no encryption; `starttls` offers it, and demands it before a login; `implicit` speaks TLS from the first byte. */
  readonly tls?: 'none' | 'starttls' | 'implicit'
  readonly certificate?: Certificate
  /** Demands a login with this user and password. */
  readonly login?: { readonly user: string; readonly password: string }
  /** The highest version of TLS that it speaks. */
  readonly tlsMaxVersion?: 'TLSv1.1' | 'TLSv1.3'
}

/** A mail server of a test. */
export interface TestMailServer {
  readonly port: number
  readonly mails: readonly ReceivedMail[]
  /** How many connections there were at once, at most. */
  readonly connectionMaxCount: number
  /** How many connections there have been. */
  readonly connectionCount: number
  /** Changes its manner from now on. */
  behave(manner: SmtpManner): void
  /** Resolves when that many conversations have reached the step at which it stalls. */
  stalled(count: number): Promise<void>
  /** Breaks every connection and takes no new one. */
  stop(): Promise<void>
  /** Takes connections again, on the same port. */
  start(): Promise<void>
  close(): Promise<void>
}

/** Starts a real mail server on a free port of 127.0.0.1, or on the given host. */
export async function startMailServer(
  options: SmtpOptions = {},
  host = '127.0.0.1',
): Promise<TestMailServer> {
  const running = new RunningServer(options, host)
  await running.start()
  return running
}

class RunningServer implements TestMailServer {
  readonly #options: SmtpOptions
  readonly #host: string
  readonly #sockets = new Set<Socket>()
  readonly mails: ReceivedMail[] = []
  #server: SMTPServer | undefined
  #manner: SmtpManner = { kind: 'kind' }
  #stalledCount = 0
  #whenStalled: (() => void)[] = []
  port = 0
  connectionMaxCount = 0
  connectionCount = 0

  constructor(options: SmtpOptions, host: string) {
    this.#options = options
    this.#host = host
  }

  behave(manner: SmtpManner): void {
    this.#manner = manner
  }

  async stalled(count: number): Promise<void> {
    while (this.#stalledCount < count) await new Promise<void>((resolve) => this.#whenStalled.push(resolve))
  }

  async start(): Promise<void> {
    const server = this.#make()
    this.#server = server
    // What a client does to its connection is for the test to judge, not for the server.
    server.on('error', () => undefined)
    server.server.on('connection', (socket: Socket) => this.#watch(socket))
    await new Promise<void>((resolve) => server.listen(this.port, this.#host, resolve))
    const address = server.server.address()
    this.port = typeof address === 'object' && address !== null ? address.port : 0
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    this.#breakConnections()
    await closed
  }

  async close(): Promise<void> {
    await this.stop()
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket)
    this.connectionCount += 1
    this.connectionMaxCount = Math.max(this.connectionMaxCount, this.#sockets.size)
    socket.on('close', () => this.#sockets.delete(socket))
  }

  #breakConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #make(): SMTPServer {
    const { tls = 'none', certificate, login, tlsMaxVersion } = this.#options
    const disabledCommands = [
      ...(tls === 'none' ? ['STARTTLS'] : []),
      ...(login === undefined ? ['AUTH'] : []),
    ]
    return new SMTPServer({
      secure: tls === 'implicit',
      ...certificate,
      ...(tlsMaxVersion === undefined
        ? {}
        : { maxVersion: tlsMaxVersion, minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
      disabledCommands,
      allowInsecureAuth: tls === 'none',
      disableReverseLookup: true,
      closeTimeout: 100,
      onAuth: (given, _session, callback) => {
        const isRight = given.username === login?.user && given.password === login?.password
        callback(
          isRight ? null : new Error('535 5.7.8 wrong'),
          isRight ? { user: given.username } : undefined,
        )
      },
      onConnect: (_session, callback) => this.#answer('greeting', callback),
      onMailFrom: (_address, _session, callback) => this.#answer('MAIL FROM', callback),
      onRcptTo: (_address, _session, callback) => this.#answer('RCPT TO', callback),
      onData: (stream, session, callback) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope
          this.#take(Buffer.concat(chunks).toString('utf8'), callback, {
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            isEncrypted: session.secure,
            user: typeof session.user === 'string' ? session.user : null,
          })
        })
      },
    })
  }

  #take(
    raw: string,
    callback: (error?: Error | null) => void,
    about: Pick<ReceivedMail, 'from' | 'to' | 'isEncrypted' | 'user'>,
  ): void {
    const isRefused = this.#manner.kind === 'refuses' && this.#manner.at === 'DATA'
    if (!isRefused) this.mails.push({ ...about, raw, ...partsOf(raw) })
    if (this.#manner.kind === 'dies') this.#breakConnections()
    else this.#answer('DATA', callback)
  }

  #answer(step: SmtpStep, callback: (error?: Error | null) => void): void {
    const manner = this.#manner
    if ((manner.kind !== 'refuses' && manner.kind !== 'stalls') || manner.at !== step) {
      callback()
      return
    }
    if (manner.kind === 'refuses') {
      callback(Object.assign(new Error(manner.text), { responseCode: manner.code }))
      return
    }
    this.#stalledCount += 1
    for (const resolve of this.#whenStalled.splice(0)) resolve()
  }
}

function partsOf(raw: string): Pick<ReceivedMail, 'headers' | 'body'> {
  const [head = '', ...rest] = raw.split('\r\n\r\n')
  const fields = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
  const headers = fields.map((field): [string, string] => {
    const colon = field.indexOf(':')
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]
  })
  return { headers: Object.fromEntries(headers), body: unquoted(rest.join('\r\n\r\n')) }
}

/** Undoes quoted-printable (RFC 2045 §6.7). */
function unquoted(text: string): string {
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_sign, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
