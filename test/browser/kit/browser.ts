import { type Browser, launch, type Page } from 'puppeteer-core'
import { chromiumPath } from './chromium.ts'

/** Chromium, running without a window. */
export interface TestBrowser {
  /** A page with cookies and storage of its own. */
  newPage(look?: Look): Promise<WatchedPage>
  close(): Promise<void>
}

/** How a page is looked at. */
export interface Look {
  readonly theme?: 'light' | 'dark'
  /** Pixels. */
  readonly widthCount?: number
  readonly isStill?: boolean
}

/** A page whose complaints are kept. */
export interface WatchedPage {
  readonly page: Page
  /** What the content security policy refused, from the console and from the page itself. */
  readonly violations: readonly string[]
  /** Errors that no script caught. */
  readonly errors: readonly string[]
  /** Everything that was written to the console. */
  readonly console: readonly string[]
  /** Method and address of every request, in order. */
  readonly requests: readonly string[]
  /** Closes it with its cookies. */
  close(): Promise<void>
}

/** Starts Chromium. */
export async function launchBrowser(): Promise<TestBrowser> {
  const executablePath = chromiumPath()
  if (executablePath === undefined)
    throw new TypeError('no Chromium: install it, or name it in HOLDFAST_TEST_CHROMIUM')
  // As root there is no sandbox; the only pages it sees are our own.
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--lang=en-GB']
  const browser = await launch({ executablePath, args, headless: true })
  return {
    newPage: (look = {}) => newPage(browser, look),
    close: () => browser.close(),
  }
}

async function newPage(
  browser: Browser,
  { theme = 'light', widthCount = 1280, isStill = true }: Look,
): Promise<WatchedPage> {
  const context = await browser.createBrowserContext()
  const page = await context.newPage()
  const violations: string[] = []
  const errors: string[] = []
  const lines: string[] = []
  const requests: string[] = []
  page.on('console', (message) => {
    const line = `${message.type()}: ${message.text()}`
    lines.push(line)
    if (/content security policy|trusted ?types?/i.test(line)) violations.push(line)
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`))
  await page.exposeFunction('reportViolation', (text: string) => void violations.push(text))
  // As text: this file is compiled without the types of a browser.
  await page.evaluateOnNewDocument(
    "addEventListener('securitypolicyviolation', (event) => reportViolation(event.violatedDirective + ' ' + event.blockedURI))",
  )
  await page.setViewport({ width: widthCount, height: widthCount < 500 ? 720 : 860 })
  await page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: theme },
    { name: 'prefers-reduced-motion', value: isStill ? 'reduce' : 'no-preference' },
  ])
  return { page, violations, errors, console: lines, requests, close: () => context.close() }
}
