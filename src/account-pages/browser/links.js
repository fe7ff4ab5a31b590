/** @import { FormJob } from './page-types.ts' */
import { send } from './api.js'
import { wireForm } from './form.js'
import { history, location, onWindow, showState } from './page.js'

// The token of the link, only ever in this variable. It came in the fragment, which no server and no log has seen.
let token = ''

/** The page of the link that confirms an address. */
export function wireVerify() {
  wireLink('#verify-email', {
    busy: 'Confirming…',
    send: () => send('POST', '/api/auth/verify-email', { token }),
  })
}

/** The page of the link that sets a new password. */
export function wireReset() {
  wireLink('#reset-password', {
    busy: 'Saving…',
    send: ({ password }) => send('POST', '/api/auth/password/reset', { token, password }),
  })
}

/** The page of the link that confirms a new address. */
export function wireChangeEmail() {
  wireLink('#change-email', {
    busy: 'Confirming…',
    send: () => send('POST', '/api/auth/email/confirm', { token }),
  })
}

/** The page of the link that makes the first administrator. */
export function wireSetup() {
  wireLink('#setup', {
    busy: 'Creating…',
    send: ({ email, name, password }) =>
      send('POST', '/api/auth/setup', { token, email, password, ...(name === '' ? {} : { name }) }),
  })
}

/**
 * A page that is reached by a link with a token. Opening it does nothing: programs that look into mails open links
 * too, and must not use them up. Only the button sends the token.
 *
 * @param {string} selector
 * @param {Pick<FormJob, 'busy' | 'send'>} job
 */
function wireLink(selector, job) {
  takeToken()
  // A second link, opened in the tab of the first, only changes the fragment.
  onWindow('hashchange', () => {
    if (location.hash.startsWith('#token=')) takeToken()
  })
  wireForm(selector, {
    ...job,
    done() {
      token = ''
      showState('done')
    },
    refused({ faults }) {
      if (!faults.some(({ field }) => field === 'token')) return false
      token = ''
      showState('refused')
      return true
    },
  })
}

/** Takes the token out of the address bar, and with it out of the history and of every screenshot. */
function takeToken() {
  token = new URLSearchParams(location.hash.slice(1)).get('token') ?? ''
  history.replaceState(null, '', location.pathname)
  showState(token === '' ? 'missing' : 'form', false)
}
