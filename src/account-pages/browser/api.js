/** @import { FieldFault, Refusal, Reply } from './page-types.ts' */

import { leaveNote } from './notes.js'
import { location, navigator } from './page.js'

const patienceMs = 30_000

/**
 * Sends one request to the API of this origin, with its cookies.
 *
 * @param {string} method
 * @param {string} path
 * @param {Readonly<Record<string, unknown>>} [body]
 * @returns {Promise<Reply>}
 */
export async function send(method, path, body) {
  try {
    const response = await fetch(path, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      // An API does not redirect; a password must not follow where it is led (ASVS 5.0 V4.1.2).
      redirect: 'error',
      signal: AbortSignal.timeout(patienceMs),
    })
    const content = await contentOf(response)
    return response.ok ? { ok: true, status: response.status, body: content } : refusalOf(response, content)
  } catch {
    // Nothing of the error is shown or logged: it could name the address with what it carries.
    const title = 'The server cannot be reached. Check your connection and try again.'
    return { ok: false, status: 0, title, faults: [], retrySeconds: null, instance: '' }
  }
}

/**
 * Sends a request of somebody who is signed in. An access cookie that has run out is renewed once; whoever is not
 * signed in any more goes to the sign-in page, and this never returns.
 *
 * @type {typeof send}
 */
export async function sendSignedIn(method, path, body) {
  const first = await send(method, path, body)
  if (first.ok || first.status !== 401) return first
  const renewed = await renew()
  if (renewed.ok) {
    const second = await send(method, path, body)
    if (second.ok || second.status !== 401) return second
  } else if (renewed.status !== 401) {
    // A busy server ends no session: whoever waits is still signed in.
    return renewed
  }
  return await leaveFor('/account/sign-in', 'sign-in-first')
}

/**
 * Sends a request that carries the current password. A 401 then means a wrong password, so the session is made sure
 * of first and nothing is sent twice: each time counts as one try.
 *
 * @param {string} path
 * @param {Readonly<Record<string, unknown>>} body
 * @returns {Promise<Reply>}
 */
export async function sendWithPassword(path, body) {
  const session = await sendSignedIn('GET', '/api/users/me')
  return session.ok ? await send('POST', path, body) : session
}

/**
 * Goes to another page with a word for it; what follows the call never runs.
 *
 * @param {string} path
 * @param {string} note
 * @returns {Promise<never>}
 */
export function leaveFor(path, note) {
  leaveNote(note)
  location.replace(path)
  return new Promise(() => {})
}

/** @type {Promise<Reply> | null} */
let renewing = null

/**
 * Renews the cookies. A refresh token works once and its second use ends the session, so the requests of one page
 * share one renewal, and the tabs of a browser wait for each other.
 *
 * @returns {Promise<Reply>}
 */
function renew() {
  const job = () => send('POST', '/api/auth/refresh', {})
  renewing ??= (navigator.locks?.request('account-refresh', job) ?? job()).finally(() => {
    renewing = null
  })
  return renewing
}

/**
 * @param {Response} response
 * @returns {Promise<unknown>}
 */
async function contentOf(response) {
  const text = await response.text()
  try {
    return text === '' ? null : JSON.parse(text)
  } catch {
    return null
  }
}

/**
 * @param {Response} response
 * @param {unknown} content
 * @returns {Refusal}
 */
function refusalOf(response, content) {
  const { status, headers } = response
  const problem = membersOf(content)
  const { errors } = problem
  return {
    ok: false,
    status,
    title: textOf(problem['title']) || 'Something went wrong.',
    faults: Array.isArray(errors) ? errors.map(faultOf) : [],
    retrySeconds: secondsOf(headers.get('retry-after')),
    instance: textOf(problem['instance']),
  }
}

/**
 * The place comes as a JSON Pointer into the request: `/body/password`.
 *
 * @param {unknown} error
 * @returns {FieldFault}
 */
function faultOf(error) {
  const { path, message } = membersOf(error)
  return { field: textOf(path).split(/[/.]/).at(-1) ?? '', message: textOf(message) }
}

/**
 * Retry-After holds seconds or a date (RFC 9110 §10.2.3).
 *
 * @param {string | null} text
 * @returns {number | null}
 */
function secondsOf(text) {
  if (text === null || text === '') return null
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - Date.now()) / 1000)
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), 86_400) : null
}

/**
 * The members of an object that came from elsewhere.
 *
 * @param {unknown} value
 * @returns {Readonly<Record<string, unknown>>}
 */
export function membersOf(value) {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/**
 * @param {unknown} value
 * @returns {string}
 */
export function textOf(value) {
  return typeof value === 'string' ? value : ''
}
