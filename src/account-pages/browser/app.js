import { wireAccount } from './account.js'
import { wireForgot, wireRegister, wireSignIn } from './entry.js'
import { wireChangeEmail, wireReset, wireSetup, wireVerify } from './links.js'
import { document, location, need, onWindow } from './page.js'

/** @type {Readonly<Record<string, () => void>>} */
const pages = {
  account: wireAccount,
  'sign-in': wireSignIn,
  register: wireRegister,
  'forgot-password': wireForgot,
  'verify-email': wireVerify,
  'reset-password': wireReset,
  'change-email': wireChangeEmail,
  setup: wireSetup,
}

const host = document.querySelector('[data-host]')
if (host !== null) host.textContent = location.host
need('#live').textContent = ''
pages[document.documentElement.dataset['page'] ?? '']?.()

// A page that comes back out of the browser's memory could show an account whose owner has signed out (ASVS 5.0 V14.3.1).
onWindow('pageshow', ({ persisted }) => {
  if (persisted === true) location.reload()
})
