import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { accountPages } from '../../../src/account-pages/index.ts'
import { memberOf } from '../../tidy/manifest.ts'

/** One request that reached the API. */
export interface Call {
  /** `POST /api/auth/login` */
  readonly line: string
  readonly body: unknown
  readonly cookies: string
}

/** What the API answers to one kind of request. */
export interface Canned {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** The account pages and an API that answers what a test tells it to: the same contract, without an application. */
export interface ContractServer {
  readonly address: string
  readonly calls: readonly Call[]
  /** Answers the next request of this kind so, and the ones after it as before. */
  once(line: string, answer: Canned): void
  /** Answers every request of this kind so from now on. */
  always(line: string, answer: Canned | (() => Canned)): void
  /** Keeps the next request of this kind waiting until the returned function is called. */
  hold(line: string): () => void
  close(): Promise<void>
}

/** A problem, as the server words it. */
export function problem(
  status: number,
  title: string,
  errors?: readonly { readonly path: string; readonly message: string }[],
): Canned {
  const body = {
    type: 'about:blank',
    title,
    status,
    detail: title,
    instance: 'req-7',
    ...(errors && { errors }),
  }
  return { status, body, headers: { 'content-type': 'application/problem+json' } }
}

const session = '__Host-access=a; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=600'
const renewal = '__Host-refresh=r; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=86400'

const usual: Readonly<Record<string, Canned>> = {
  'POST /api/auth/register': { status: 202, body: { status: 'accepted' } },
  'POST /api/auth/verify-email': { status: 204 },
  'POST /api/auth/login': {
    status: 200,
    body: { status: 'authenticated', expiresIn: 600 },
    headers: { 'set-cookie': `${session}\n${renewal}` },
  },
  'POST /api/auth/refresh': { status: 200, body: { status: 'authenticated', expiresIn: 600 } },
  'POST /api/auth/reauthenticate': { status: 200, body: { status: 'authenticated', expiresIn: 600 } },
  'POST /api/auth/logout': { status: 204 },
  'POST /api/auth/logout-everywhere': { status: 204 },
  'POST /api/auth/password/forgot': { status: 202, body: { status: 'accepted' } },
  'POST /api/auth/password/reset': { status: 204 },
  'POST /api/auth/password/change': { status: 204 },
  'POST /api/auth/email/change': { status: 202, body: { status: 'accepted' } },
  'POST /api/auth/email/confirm': { status: 204 },
  'POST /api/auth/setup': { status: 204 },
  'DELETE /api/users/me': { status: 204 },
  'DELETE /api/auth/sessions/s2': { status: 204 },
  'GET /api/users/me': { status: 200, body: person('Ann Example') },
  'PATCH /api/users/me': { status: 200, body: person('Ann Newname') },
  'GET /api/users/me/export': {
    status: 200,
    body: { account: person('Ann Example'), sessions: [], rows: [] },
  },
  'GET /api/auth/sessions': { status: 200, body: { items: [phone(), laptop()] } },
}

/** What the API says of somebody. */
export function person(name: string): Readonly<Record<string, unknown>> {
  return {
    id: '01890000-0000-7000-8000-000000000001',
    email: 'ann@example.com',
    name,
    roles: ['admin', 'editor'],
    createdAt: '2026-03-02T09:00:00.000Z',
  }
}

function laptop() {
  return {
    id: 's1',
    createdAt: '2026-11-20T08:00:00.000Z',
    lastSeenAt: '2026-11-21T08:14:00.000Z',
    device: 'Chromium on Linux',
    address: '203.0.113.7',
    isCurrent: true,
  }
}

function phone() {
  return {
    id: 's2',
    createdAt: '2026-11-01T08:00:00.000Z',
    lastSeenAt: '2026-11-21T19:40:00.000Z',
    device: 'Safari on iPhone',
    address: '2001:db8:85a3::8a2e:370:7334',
    isCurrent: false,
  }
}

/** Starts it on a free port. `localhost` is a secure context, so `__Host-` cookies work without TLS. */
export async function startContractServer(siteName = 'Harbour Notes'): Promise<ContractServer> {
  const pages = new Map(
    accountPages({ siteName, minimumPasswordChars: 15, returnPaths: ['/docs'] }).map((page) => [
      page.path,
      page,
    ]),
  )
  const calls: Call[] = []
  const answers = new Map<string, Canned | (() => Canned)>(Object.entries(usual))
  const next = new Map<string, Canned[]>()
  const held = new Map<string, Promise<void>>()

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const page = request.method === 'GET' ? pages.get(pathname) : undefined
    if (page !== undefined) {
      response.writeHead(200, {
        'content-type': page.contentType,
        'content-security-policy': page.csp,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
      response.end(page.content)
      return
    }
    const line = `${request.method} ${pathname}`
    const sent = await text(request)
    if (pathname.startsWith('/api/'))
      calls.push({
        line,
        body: sent === '' ? undefined : JSON.parse(sent),
        cookies: request.headers.cookie ?? '',
      })
    const waiting = held.get(line)
    held.delete(line)
    await waiting
    const usualAnswer = answers.get(line) ?? problem(404, 'There is nothing here.')
    const answer =
      next.get(line)?.shift() ?? (typeof usualAnswer === 'function' ? usualAnswer() : usualAnswer)
    reply(response, answer)
  }

  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = memberOf(server.address(), 'port')
  return {
    address: `http://localhost:${String(port)}`,
    calls,
    once: (line, answer) => void next.set(line, [...(next.get(line) ?? []), answer]),
    always: (line, answer) => void answers.set(line, answer),
    hold(line) {
      const { promise, resolve } = Promise.withResolvers<void>()
      held.set(line, promise)
      return resolve
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function reply(response: ServerResponse, { status, body, headers = {} }: Canned): void {
  response.statusCode = status
  if (body !== undefined) response.setHeader('content-type', 'application/json')
  for (const [name, value] of Object.entries(headers))
    response.setHeader(name, value.includes('\n') ? value.split('\n') : value)
  response.end(body === undefined ? undefined : JSON.stringify(body))
}
