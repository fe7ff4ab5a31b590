import type { Html } from '../base/index.ts'
import { assert } from '../base/index.ts'
import { accountPage } from './account-page.ts'
import { forgotPage, registerPage, signInPage } from './entry-pages.ts'
import { changeEmailPage, resetPage, setupPage, verifyPage } from './link-pages.ts'
import { scriptNames, scriptText } from './script.ts'
import type { Site } from './shell.ts'
import { style } from './style.ts'

/** One page, script or style, to be served with GET as it is. */
export interface AccountPage {
  readonly path: string
  readonly contentType: string
  readonly content: string
  /** Its content security policy. */
  readonly csp: string
}

/** What the pages are made for. */
export interface AccountPagesOptions {
  /** What the site is called. */
  readonly siteName: string
  /** The least characters of a password, as the policy has them. */
  readonly minimumPasswordChars: number
  /** Paths of this origin that `?next=` of the sign-in page may name, exactly; `/account` alone unless given. */
  readonly returnPaths?: readonly string[]
}

/**
 * Only our own files, and the API of the same origin. Nothing is inline, so there is no hash to keep; no form may be
 * sent by the browser itself, because the script sends them; and no text may become markup or code, which Trusted
 * Types holds in the browser whatever the script does.
 *
 * @see W3C CSP 3, W3C Trusted Types; OWASP ASVS 5.0 §3.4.3, §3.4.6, §3.2.2
 */
const pagePolicy = [
  "default-src 'none'",
  "object-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

// A script or a style that is opened by itself does nothing.
const filePolicy = "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"

/**
 * The built-in pages of accounts, with their scripts and their style. They hold nobody's data: everything personal
 * comes from the API, asked by the script with the cookies of the person.
 *
 * @example for (const page of accountPages({ siteName: 'Notes', minimumPasswordChars: 15 })) serve(page)
 */
export function accountPages({
  siteName,
  minimumPasswordChars,
  returnPaths = [],
}: AccountPagesOptions): readonly AccountPage[] {
  assert(returnPaths.every(isOwnPath), 'a path to return to is one of this origin')
  const site: Site = { siteName, minimumPasswordChars, returnPaths: ['/account', ...returnPaths] }
  return [
    pageAt('/account', accountPage(site)),
    pageAt('/account/sign-in', signInPage(site)),
    pageAt('/account/register', registerPage(site)),
    pageAt('/account/forgot-password', forgotPage(site)),
    pageAt('/account/verify-email', verifyPage(site)),
    pageAt('/account/reset-password', resetPage(site)),
    pageAt('/account/change-email', changeEmailPage(site)),
    pageAt('/account/setup', setupPage(site)),
    fileAt('/account/app.css', 'text/css', style),
    ...scriptNames.map((name) => fileAt(`/account/${name}`, 'text/javascript', scriptText(name))),
  ]
}

function pageAt(path: string, page: Html): AccountPage {
  return { path, contentType: 'text/html; charset=utf-8', content: String(page), csp: pagePolicy }
}

function fileAt(path: string, type: string, content: string): AccountPage {
  return { path, contentType: `${type}; charset=utf-8`, content, csp: filePolicy }
}

/** `//evil` and `/\evil` are other hosts to a browser; so is what a tab or a line feed hides. @see ASVS 5.0 §3.7.2 */
function isOwnPath(path: string): boolean {
  return /^\/(?![/\\])[!-~]*$/.test(path) && !path.includes('\\')
}
