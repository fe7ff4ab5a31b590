import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enter, goodPassword, mailTo, tokenIn } from '../kit/accounts.ts'
import { memberOf } from '../kit/client.ts'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'
import { launchBrowser, type TestBrowser, type WatchedPage } from './kit/browser.ts'

// The example as it ships, over cookies, in Chromium: what a person does, and what a script in the page could not do.

let notes: NotesServer
let browser: TestBrowser
beforeAll(async () => {
  notes = await startNotes(undefined, 'sqlite', null)
  browser = await launchBrowser()
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await notes?.stop()
})

const unhurried = { timeout: 60_000 }

async function open({ page }: WatchedPage, path: string): Promise<void> {
  await page.goto(`${notes.address}/account${path}`, { waitUntil: 'networkidle0' })
}

async function fill({ page }: WatchedPage, form: string, values: Readonly<Record<string, string>>) {
  for (const [name, value] of Object.entries(values)) await page.type(`${form} [name=${name}]`, value)
}

/** Presses the button of a form, and waits for what is to be seen then. */
async function send({ page }: WatchedPage, form: string, then: string): Promise<void> {
  await page.click(`${form} [type=submit]`)
  await page.waitForSelector(then, { visible: true })
}

async function textOf({ page }: WatchedPage, selector: string): Promise<string> {
  return await page.$eval(selector, (element) => element.textContent ?? '')
}

/** Asks the API as a script of the page does: with the cookies that it cannot see. */
async function askAs({ page }: WatchedPage, method: string, path: string, body?: unknown) {
  const init = {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }
  const script = `fetch(${JSON.stringify(path)}, ${JSON.stringify(init)}).then(async (reply) => ({ status: reply.status, text: await reply.text() }))`
  const reply: unknown = await page.evaluate(script)
  const text = String(memberOf(reply, 'text'))
  return { status: Number(memberOf(reply, 'status')), json: text === '' ? null : JSON.parse(text) }
}

async function signIn(watched: WatchedPage, email: string, password = goodPassword): Promise<void> {
  await open(watched, '/sign-in')
  await fill(watched, '#sign-in', { email, password })
  await send(watched, '#sign-in', '[data-state=ready]')
}

/** No script was stopped, none failed, and no address has held a token or a password. */
function expectQuiet({ violations, errors, requests }: WatchedPage): void {
  expect(violations).toEqual([])
  expect(errors).toEqual([])
  expect(requests.filter((line) => /token|password=|violet/i.test(line.replace(/#.*/, '')))).toEqual([])
}

describe('the account pages of the example', unhurried, () => {
  it('take somebody from registering to signing out everywhere, over cookies alone', async () => {
    const ann = await browser.newPage()
    await open(ann, '')
    await ann.page.waitForSelector('[data-note]', { visible: true })
    expect(new URL(ann.page.url()).pathname).toBe('/account/sign-in')
    await open(ann, '/register')
    await fill(ann, '#register', { email: 'ann@example.com', name: '<b>Ann</b>', password: goodPassword })
    await send(ann, '#register', '[data-state=sent]')

    const { links } = await mailTo(notes, 'ann@example.com')
    const link = links.find((one) => one.includes('#token=')) ?? ''
    expect(link.startsWith(`${notes.address}/account/verify-email#token=`)).toBe(true)
    await ann.page.goto(link, { waitUntil: 'networkidle0' })
    // Out of the address bar, and with it out of the history.
    expect(ann.page.url()).toBe(`${notes.address}/account/verify-email`)
    await send(ann, '#verify-email', '[data-state=done]')
    await ann.page.goto('about:blank')
    await ann.page.goto(link, { waitUntil: 'networkidle0' })
    await send(ann, '#verify-email', '[data-state=refused]')

    await signIn(ann, 'ann@example.com')
    expect(new URL(ann.page.url()).pathname).toBe('/account')
    expect(await ann.page.$eval('#profile [name=name]', (input) => Reflect.get(input, 'value'))).toBe(
      '<b>Ann</b>',
    )
    await ann.page.waitForSelector('#sessions [data-current]', { visible: true })
    expect(await textOf(ann, '#sessions [data-device]')).toMatch(/Chrom/)

    const cookies = await ann.page.browserContext().cookies()
    const names = ['__Host-access', '__Host-device', '__Host-refresh']
    expect(cookies.map(({ name }) => name).sort()).toEqual(names)
    for (const cookie of cookies)
      expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/' })
    expect(await ann.page.evaluate('document.cookie')).toBe('')

    const made = await askAs(ann, 'POST', '/api/notes', { title: 'Tide table', body: 'low at four' })
    expect(made.status).toBe(201)
    const noteId = String(memberOf(made.json, 'id'))
    const ben = await enter(notes, 'ben@example.com')
    const benId = (await notes.ask('GET', '/api/users/me', { headers: ben.as })).text('id')
    expect((await notes.ask('GET', `/api/notes/${noteId}`, { headers: ben.as })).status).toBe(404)
    expect(
      (await askAs(ann, 'PUT', `/api/notes/${noteId}/shares/${benId}`, { permission: 'read' })).status,
    ).toBeLessThan(300)
    const seen = await notes.ask('GET', `/api/notes/${noteId}`, { headers: ben.as })
    expect(seen.text('title')).toBe('Tide table')

    const phone = await browser.newPage({ theme: 'dark', widthCount: 320 })
    await signIn(phone, 'ann@example.com')
    await ann.page.reload({ waitUntil: 'networkidle0' })
    expect(await ann.page.$$('#sessions li')).toHaveLength(2)
    await ann.page.click('#devices summary')
    await send(ann, '#sign-out-everywhere', '#sign-in [name=email]')
    expect((await askAs(ann, 'GET', '/api/notes')).status).toBe(401)
    expect((await askAs(phone, 'GET', '/api/notes')).status).toBe(401)
    expect((await notes.ask('GET', '/api/notes', { headers: ben.as })).status).toBe(200)
    // What stays says that the device is known, and lets nobody in.
    const left = await ann.page.browserContext().cookies()
    expect(left.map(({ name }) => name)).toEqual(['__Host-device'])
    // The other device finds out by itself, and says so.
    await phone.page.reload({ waitUntil: 'networkidle0' })
    await phone.page.waitForSelector('#sign-in [name=email]', { visible: true })
    expectQuiet(ann)
    expectQuiet(phone)
    await ann.close()
    await phone.close()
  })

  it('say what is wrong: a wrong password, a common one, a link without its end', async () => {
    const one = await browser.newPage()
    await open(one, '/sign-in')
    await fill(one, '#sign-in', { email: 'nobody@example.com', password: 'wrong horse battery' })
    await send(one, '#sign-in', '[data-alert]')
    expect(await textOf(one, '[data-alert]')).toContain('The address or the password is wrong')
    await open(one, '/register')
    await fill(one, '#register', { email: 'cat@example.com', password: 'passwordpassword' })
    await send(one, '#register', '#register .field:has([name=password]) .error')
    expect(await textOf(one, '#register .field:has([name=password]) .error')).toContain('tried first')
    await open(one, '/reset-password')
    await one.page.waitForSelector('[data-state=missing]', { visible: true })
    expectQuiet(one)
    await one.close()
  })

  it('change a password, set a forgotten one, change the address, and delete the account', async () => {
    const dan = await browser.newPage()
    await enter(notes, 'dan@example.com')
    await signIn(dan, 'dan@example.com')
    await dan.page.click('#password summary')
    const second = 'copper lanterns drift inland'
    await fill(dan, '#change-password', { currentPassword: 'not my password', newPassword: second })
    await send(dan, '#change-password', '#change-password .field:has([name=currentPassword]) .error')
    expect(await textOf(dan, '#change-password .field:has([name=currentPassword]) .error')).toContain('not')
    await dan.page.$eval(
      '#change-password',
      (form) => void Reflect.apply(Reflect.get(form, 'reset'), form, []),
    )
    await fill(dan, '#change-password', { currentPassword: goodPassword, newPassword: second })
    await send(dan, '#change-password', '#password [data-done]')
    await dan.page.waitForSelector('#password [data-done]', { visible: true })

    await open(dan, '/forgot-password')
    await fill(dan, '#forgot-password', { email: 'dan@example.com' })
    await send(dan, '#forgot-password', '[data-state=sent]')
    const third = 'seven quiet orchards waiting'
    const reset = await mailWith(notes, 'dan@example.com', '/account/reset-password#')
    await dan.page.goto(reset, { waitUntil: 'networkidle0' })
    await fill(dan, '#reset-password', { password: third })
    await send(dan, '#reset-password', '[data-state=done]')

    await signIn(dan, 'dan@example.com', third)
    await dan.page.click('#address summary')
    await fill(dan, '#change-address', { email: 'daniel@example.com', password: third })
    await send(dan, '#change-address', '#address [data-done]')
    const confirm = await mailWith(notes, 'daniel@example.com', '/account/change-email#')
    await dan.page.goto(confirm, { waitUntil: 'networkidle0' })
    await send(dan, '#change-email', '[data-state=done]')

    await signIn(dan, 'daniel@example.com', third)
    await dan.page.click('#deletion summary')
    await fill(dan, '#delete-account', { password: third })
    await dan.page.click('#delete-account [name=sure]')
    await send(dan, '#delete-account', '#sign-in [name=email]')
    const gone = await notes.ask('POST', '/api/auth/login', {
      body: { email: 'daniel@example.com', password: third },
    })
    expect(gone.status).toBe(401)
    expect(await dan.page.browserContext().cookies()).toEqual([])
    expectQuiet(dan)
    await dan.close()
  })

  it('make the first administrator with the link of the start, once', async () => {
    const link = (await notes.server.firstAdministratorLink()) ?? ''
    const eve = await browser.newPage()
    await eve.page.goto(link, { waitUntil: 'networkidle0' })
    expect(eve.page.url()).toBe(`${notes.address}/account/setup`)
    await fill(eve, '#setup', { email: 'eve@example.com', password: goodPassword })
    await send(eve, '#setup', '[data-state=done]')
    expect(await notes.server.firstAdministratorLink()).toBeNull()
    await signIn(eve, 'eve@example.com')
    expect((await askAs(eve, 'GET', '/api/admin/users')).status).toBe(200)
    expectQuiet(eve)
    await eve.close()
  })

  it('V3.5.1 V3.5.3 do nothing for another site, which cannot sign anybody out', async () => {
    const fay = await browser.newPage()
    await enter(notes, 'fay@example.com')
    await signIn(fay, 'fay@example.com')
    // Another origin to a browser, and the same site or not makes no difference: the same server by another name.
    const other = notes.address.replace('127.0.0.1', 'localhost')
    await fay.page.goto(`${other}/health/live`)
    await fay.page.evaluate(
      `fetch(${JSON.stringify(`${notes.address}/api/auth/logout-everywhere`)}, { method: 'POST', mode: 'no-cors', credentials: 'include' }).catch(() => undefined).then(() => null)`,
    )
    await open(fay, '')
    await fay.page.waitForSelector('[data-state=ready]', { visible: true })
    await fay.close()
  })
})

/** The link to a page in one of the mails to somebody. */
async function mailWith(server: NotesServer, to: string, page: string): Promise<string> {
  for (let count = 1; ; count += 1) {
    const mail = await mailTo(server, to, count)
    const link = mail.links.find((one) => one.includes(page))
    if (link === undefined) continue
    expect(tokenIn(mail)).toHaveLength(43)
    return link
  }
}
