import { leaveFor, membersOf, send } from './api.js'
import { showAlert, wireForm } from './form.js'
import { takeNote } from './notes.js'
import { document, location, need, showState } from './page.js'

/** The sign-in page. */
export function wireSignIn() {
  const note = takeNote()
  const notice = need('[data-note]')
  notice.textContent = note
  notice.hidden = note === ''
  wireForm('#sign-in', {
    busy: 'Signing in…',
    send: ({ email, password }) => send('POST', '/api/auth/login', { email, password, transport: 'cookie' }),
    async done(_values, { body }) {
      if (membersOf(body)['status'] === 'authenticated') {
        await leaveFor(placeAfter(), '')
        return
      }
      need('#sign-in').reset()
      showAlert(need('#sign-in'), 'This account asks for a second step, which these pages do not offer yet.')
    },
    refused({ status }, form) {
      if (status !== 401) return false
      // One sentence for a wrong password and for an address without an account (ASVS 5.0 V6.3.8).
      showAlert(form, 'The address or the password is wrong. Check both and try again.')
      return true
    },
  })
}

/** The page where somebody registers. */
export function wireRegister() {
  wireMailed('#register', {
    busy: 'Registering…',
    send: ({ email, name, password }) =>
      send('POST', '/api/auth/register', { email, password, ...(name === '' ? {} : { name }) }),
  })
}

/** The page of those who forgot their password. */
export function wireForgot() {
  wireMailed('#forgot-password', {
    busy: 'Sending…',
    send: ({ email }) => send('POST', '/api/auth/password/forgot', { email }),
  })
}

/**
 * A form whose answer is a mail: it says the same whether or not the address has an account.
 *
 * @param {string} selector
 * @param {Pick<import('./page-types.ts').FormJob, 'busy' | 'send'>} job
 */
function wireMailed(selector, job) {
  wireForm(selector, {
    ...job,
    done({ email }) {
      need(selector).reset()
      need('[data-sent-to]').textContent = email ?? ''
      showState('sent')
    },
  })
  need('[data-again]').addEventListener('click', () => {
    showState('form')
  })
}

/**
 * Where to go after signing in: a path from the list that the server wrote into the page, character for character.
 * Whatever else a link asks for is not looked at further (ASVS 5.0 V3.7.2: no open redirect).
 */
function placeAfter() {
  const allowed = (document.documentElement.dataset['returnPaths'] ?? '').split(' ')
  const wanted = new URLSearchParams(location.search).get('next')
  return allowed.find((path) => path === wanted) ?? '/account'
}
