/** @import { PageElement, Refusal } from './page-types.ts' */
import { leaveFor, membersOf, send, sendSignedIn, sendWithPassword, textOf } from './api.js'
import { showAlert, showFault, wireForm } from './form.js'
import { announce, document, need, showState } from './page.js'
import { loadSessions } from './sessions.js'

/** The page of one's own account. */
export function wireAccount() {
  wireProfile()
  wireEmail()
  wirePassword()
  wireLeaving()
  wireExport()
  wireDeletion()
  need('[data-retry]').addEventListener('click', () => void load())
  for (const cancel of document.querySelectorAll('[data-cancel]')) {
    cancel.addEventListener('click', () => {
      close(cancel.closest('details'))
    })
  }
  void load()
}

async function load() {
  showState('loading', false)
  const reply = await sendSignedIn('GET', '/api/users/me')
  if (!reply.ok) {
    need('[data-why]').textContent = reply.title
    showState('failed')
    return
  }
  showProfile(reply.body)
  showState('ready', false)
  await loadSessions()
}

/** @param {unknown} body */
function showProfile(body) {
  const { email, name, roles, createdAt } = membersOf(body)
  need('#profile [name=name]').value = textOf(name)
  for (const place of document.querySelectorAll('[data-email]')) place.textContent = textOf(email)
  // A password manager stores the new password under this name.
  for (const input of document.querySelectorAll('[data-username]')) input.value = textOf(email)
  const since = new Date(textOf(createdAt))
  need('[data-since]').textContent = Number.isNaN(since.getTime())
    ? '–'
    : new Intl.DateTimeFormat(undefined, { dateStyle: 'long' }).format(since)
  const names = Array.isArray(roles) ? roles.map(textOf) : []
  need('[data-roles]').textContent = names.join(', ')
  need('[data-roles-row]').hidden = names.length === 0
}

function wireProfile() {
  wireForm('#profile', {
    busy: 'Saving…',
    send: ({ name }) => sendSignedIn('PATCH', '/api/users/me', { name }),
    done(_values, { body }) {
      showProfile(body)
      tell('#profile-section', 'Saved.')
    },
  })
}

function wireEmail() {
  wireForm('#change-address', {
    busy: 'Sending…',
    send: ({ email, password }) => sendWithPassword('/api/auth/email/change', { email, password }),
    done({ email }) {
      finish('#change-address')
      tell('#address', `We have sent a mail to ${email}. The address changes when you use the link in it.`)
    },
    refused: wrongPassword('password'),
  })
}

function wirePassword() {
  wireForm('#change-password', {
    busy: 'Saving…',
    send: ({ currentPassword, newPassword }) =>
      sendWithPassword('/api/auth/password/change', { currentPassword, newPassword }),
    async done() {
      finish('#change-password')
      tell('#password', 'Your password is changed. Every other device is signed out.')
      await loadSessions()
    },
    refused: wrongPassword('currentPassword'),
  })
}

/** Signing out, here and everywhere. */
function wireLeaving() {
  wireForm('#sign-out', {
    busy: 'Signing out…',
    send: () => sendSignedIn('POST', '/api/auth/logout'),
    done: () => leaveFor('/account/sign-in', 'signed-out'),
  })
  wireForm('#sign-out-everywhere', {
    busy: 'Signing out…',
    send: () => sendSignedIn('POST', '/api/auth/logout-everywhere'),
    done: () => leaveFor('/account/sign-in', 'signed-out-everywhere'),
  })
}

function wireExport() {
  wireForm('#export', {
    busy: 'Preparing…',
    send: () => sendSignedIn('GET', '/api/users/me/export'),
    done(_values, { body }) {
      save(JSON.stringify(body, null, 2), `my-data-${new Date().toISOString().slice(0, 10)}.json`)
      tell('#data', 'The download has started.')
    },
  })
}

function wireDeletion() {
  wireForm('#delete-account', {
    busy: 'Deleting…',
    async send({ password }) {
      const proved = await sendWithPassword('/api/auth/reauthenticate', { password })
      // Nothing is tried twice: the session is a new one.
      return proved.ok ? await send('DELETE', '/api/users/me') : proved
    },
    done: () => leaveFor('/account/sign-in', 'deleted'),
    refused(refusal, form) {
      if (refusal.status === 409) {
        showAlert(form, 'You are the last administrator. Make somebody else one first.')
        return true
      }
      return wrongPassword('password')(refusal, form)
    },
  })
}

/**
 * @param {string} field
 * @returns {(refusal: Refusal, form: PageElement) => boolean}
 */
function wrongPassword(field) {
  return ({ status }, form) => {
    if (status !== 401) return false
    showFault(form, field, 'This is not your current password.')
    need(`[name=${field}]`, form).focus()
    return true
  }
}

/** @param {string} selector */
function finish(selector) {
  need(selector).reset()
  close(need(selector).closest('details'))
}

/** @param {PageElement | null} details */
function close(details) {
  if (details === null) return
  details.open = false
  details.querySelector('form')?.reset()
  details.querySelector('summary')?.focus()
}

/**
 * Says in its section that something was done.
 *
 * @param {string} selector
 * @param {string} text
 */
function tell(selector, text) {
  const said = need('[data-done]', need(selector))
  said.textContent = text
  said.hidden = false
  announce(text)
}

/**
 * Hands a file to the browser. It is made here, so that an access cookie that has run out is renewed first.
 *
 * @param {string} text
 * @param {string} name
 */
function save(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => {
    URL.revokeObjectURL(url)
  }, 10_000)
}
