import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launchBrowser, type WatchedPage } from './kit/browser.ts'
import { type ContractServer, problem, startContractServer } from './kit/contract-server.ts'

// Pictures of every account page in its states, in both themes and at 320 pixels, to be looked at by a person:
// node --conditions=holdfast-source test/browser/gallery.ts

type Scene = (watched: WatchedPage, server: ContractServer) => Promise<void>

const good = 'violet anchors hum softly'

const scenes: Readonly<Record<string, Scene>> = {
  'sign-in': (one, server) => open(one, server, 'sign-in'),
  'sign-in-missing': async (one, server) => {
    await open(one, server, 'sign-in')
    await one.page.click('[type=submit]')
  },
  'sign-in-wrong': async (one, server) => {
    server.once('POST /api/auth/login', problem(401, 'Valid credentials are required.'))
    await signIn(one, server)
    await one.page.waitForSelector('[data-alert]:not([hidden])')
  },
  'sign-in-busy': async (one, server) => {
    const release = server.hold('POST /api/auth/login')
    await signIn(one, server)
    setTimeout(release, 3_000)
  },
  'sign-in-wait': async (one, server) => {
    const many = problem(429, 'Too many requests.')
    server.once('POST /api/auth/login', { ...many, headers: { ...many.headers, 'retry-after': '90' } })
    await signIn(one, server)
    await one.page.waitForSelector('[data-busy=wait]')
  },
  register: async (one, server) => {
    await open(one, server, 'register')
    await one.page.type('[name=password]', 'violet anch')
  },
  'register-refused': async (one, server) => {
    const message =
      'is one of the passwords that are tried first. Several words that do not belong together make a good one.'
    server.once('POST /api/auth/register', problem(400, 'x', [{ path: '/body/password', message }]))
    await open(one, server, 'register')
    await one.page.type('[name=email]', 'ann@example.com')
    await one.page.type('[name=password]', 'password1234567890')
    await one.page.click('[type=submit]')
    await one.page.waitForSelector('[aria-invalid=true]')
  },
  'register-sent': async (one, server) => {
    await open(one, server, 'register')
    await one.page.type('[name=email]', 'ann.with.a.long.name@subdomain.example.com')
    await one.page.type('[name=password]', good)
    await one.page.click('[type=submit]')
    await one.page.waitForSelector('[data-state=sent]:not([hidden])')
  },
  'forgot-password': (one, server) => open(one, server, 'forgot-password'),
  'verify-email': (one, server) => open(one, server, 'verify-email#token=abc'),
  'verify-email-done': async (one, server) => {
    await open(one, server, 'verify-email#token=abc')
    await one.page.click('[type=submit]')
    await one.page.waitForSelector('[data-state=done]:not([hidden])')
  },
  'verify-email-missing': (one, server) => open(one, server, 'verify-email'),
  'reset-password': (one, server) => open(one, server, 'reset-password#token=abc'),
  'reset-password-refused': async (one, server) => {
    server.once('POST /api/auth/password/reset', problem(400, 'x', [{ path: '/body/token', message: 'is' }]))
    await open(one, server, 'reset-password#token=abc')
    await one.page.type('[name=password]', good)
    await one.page.click('[type=submit]')
    await one.page.waitForSelector('[data-state=refused]:not([hidden])')
  },
  'change-email': (one, server) => open(one, server, 'change-email#token=abc'),
  setup: (one, server) => open(one, server, 'setup#token=abc'),
  account: async (one, server) => {
    await open(one, server, '')
    await one.page.waitForSelector('#sessions button')
  },
  'account-loading': async (one, server) => {
    const release = server.hold('GET /api/users/me')
    await open(one, server, '', 'domcontentloaded')
    setTimeout(release, 3_000)
  },
  'account-failed': async (one, server) => {
    server.once('GET /api/users/me', problem(503, 'The server is busy. Try again shortly.'))
    await open(one, server, '')
  },
  'account-open': async (one, server) => {
    await open(one, server, '')
    await one.page.waitForSelector('#sessions button')
    for (const summary of await one.page.$$('summary')) await summary.click()
    await one.page.click('#profile [type=submit]')
    await one.page.waitForSelector('#profile-section .notice:not([hidden])')
  },
}

async function open(
  { page }: WatchedPage,
  { address }: ContractServer,
  path: string,
  until: 'networkidle0' | 'domcontentloaded' = 'networkidle0',
): Promise<void> {
  await page.goto(`${address}/account${path === '' ? '' : `/${path}`}`, { waitUntil: until })
}

async function signIn(one: WatchedPage, server: ContractServer): Promise<void> {
  await open(one, server, 'sign-in')
  await one.page.type('[name=email]', 'ann@example.com')
  await one.page.type('[name=password]', good)
  await one.page.click('[type=submit]')
}

const folder = await mkdtemp(join(tmpdir(), 'account-pages-'))
const browser = await launchBrowser()
const wanted = process.argv[2]
const looks = [
  { name: 'light', look: { theme: 'light', widthCount: 1280 } },
  { name: 'dark', look: { theme: 'dark', widthCount: 1280 } },
  { name: '320', look: { theme: 'light', widthCount: 320 } },
  { name: '320-dark', look: { theme: 'dark', widthCount: 320 } },
] as const
for (const [name, scene] of Object.entries(scenes)) {
  if (wanted !== undefined && !name.startsWith(wanted)) continue
  for (const { name: lookName, look } of looks) {
    const server = await startContractServer()
    const watched = await browser.newPage(look)
    await scene(watched, server)
    await watched.page.screenshot({ path: join(folder, `${name}-${lookName}.png`), fullPage: true })
    if (watched.violations.length + watched.errors.length > 0)
      console.error(name, watched.violations, watched.errors)
    await watched.close()
    await server.close()
  }
}
await browser.close()
console.info(folder)
