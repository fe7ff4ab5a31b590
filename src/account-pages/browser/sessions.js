/** @import { PageElement } from './page-types.ts' */
import { membersOf, sendSignedIn, textOf } from './api.js'
import { announce, need } from './page.js'

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** Fills the list of devices. */
export async function loadSessions() {
  const list = need('#sessions')
  const reply = await sendSignedIn('GET', '/api/auth/sessions')
  const { items } = membersOf(reply.ok ? reply.body : null)
  list.removeAttribute('aria-busy')
  const failed = need('[data-sessions-failed]')
  failed.hidden = reply.ok
  if (!reply.ok) {
    failed.textContent = reply.title
    return
  }
  const rows = Array.isArray(items) ? items.map(membersOf) : []
  // This device first, then whoever was here last.
  rows.sort((a, b) => rank(b).localeCompare(rank(a)))
  list.replaceChildren(...rows.map(rowOf))
  need('[data-alone]').hidden = rows.length > 1
}

/** @param {Readonly<Record<string, unknown>>} session */
function rank({ isCurrent, lastSeenAt }) {
  return `${isCurrent === true ? 1 : 0}${textOf(lastSeenAt)}`
}

/**
 * @param {Readonly<Record<string, unknown>>} session
 * @returns {PageElement}
 */
function rowOf(session) {
  const row = need('li', need('#session').content.cloneNode(true))
  const device = textOf(session['device']) || 'Unknown device'
  need('[data-device]', row).textContent = device
  need('[data-address]', row).textContent = textOf(session['address'])
  const seen = need('[data-seen]', row)
  seen.textContent = timeOf(session['lastSeenAt'])
  seen.setAttribute('datetime', textOf(session['lastSeenAt']))
  const isCurrent = session['isCurrent'] === true
  need('[data-current]', row).hidden = !isCurrent
  const button = need('button', row)
  button.hidden = isCurrent
  need('[data-which]', button).textContent = ` ${device}`
  button.addEventListener('click', () => void end(row, button, textOf(session['id']), device))
  return row
}

/** @param {unknown} value */
function timeOf(value) {
  const time = new Date(textOf(value))
  return Number.isNaN(time.getTime()) ? '–' : clock.format(time)
}

/**
 * @param {PageElement} row
 * @param {PageElement} button
 * @param {string} id
 * @param {string} device
 */
async function end(row, button, id, device) {
  if (button.dataset['busy'] !== undefined) return
  button.dataset['busy'] = ''
  const reply = await sendSignedIn('DELETE', `/api/auth/sessions/${encodeURIComponent(id)}`)
  delete button.dataset['busy']
  // What is gone already is as wished.
  if (reply.ok || reply.status === 404) {
    row.remove()
    need('#devices h2').focus()
    announce(`${device} is signed out.`)
    need('[data-alone]').hidden = [...need('#sessions').querySelectorAll('li')].length > 1
    return
  }
  const error = need('.error', row)
  error.textContent = reply.title
  error.hidden = false
}
