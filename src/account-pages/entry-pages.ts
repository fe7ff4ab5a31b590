import { type Html, html } from '../base/index.ts'
import { emailField, formOf, nameField, newPasswordField, passwordField, submitButton } from './fields.ts'
import { facts, formPage, heading, outcome, type Site, state, steps } from './shell.ts'

const address = {
  name: 'email',
  label: 'E-mail address',
  noun: 'address',
  missing: 'Type your e-mail address.',
} as const

/** Where one signs in. */
export function signInPage(site: Site): Html {
  const password = {
    name: 'password',
    label: 'Password',
    noun: 'password',
    missing: 'Type your password.',
  }
  const forgot = html`<a href="/account/forgot-password">Forgot password?</a>`
  const form = html`${emailField('sign-in', address, 'username')}
${passwordField('sign-in', password, forgot)}
${submitButton('Sign in')}`
  const content = html`<p class="notice" role="status" data-note hidden></p>
${heading('Sign in')}
<p class="lead">to your account at ${site.siteName}</p>
${formOf('sign-in', form)}
<p class="other">No account yet? <a href="/account/register">Register</a></p>`
  return formPage(
    site,
    { name: 'sign-in', title: 'Sign in', content },
    facts('Good to have you back.', [
      'Paste your password, or let your password manager fill it in.',
      'On a device that others use, sign out when you are done.',
      'When a new device signs in, we tell you by mail.',
    ]),
  )
}

/** Where one makes an account. */
export function registerPage(site: Site): Html {
  const password = {
    name: 'password',
    label: 'Password',
    noun: 'password',
    missing: 'Choose a password.',
  }
  const form = html`${emailField('register', address, 'username')}
${nameField('register')}
${newPasswordField('register', password, site.minimumPasswordChars)}
${submitButton('Register')}`
  const content = html`${state(
    'form',
    html`${heading('Create an account')}
<p class="lead">at ${site.siteName}</p>
${formOf('register', form)}
<p class="other">Already have an account? <a href="/account/sign-in">Sign in</a></p>`,
    true,
  )}
${sentState('We have sent a mail to', 'Open the link in it to create your account. Until then there is none.')}`
  return formPage(
    site,
    { name: 'register', title: 'Create an account', content },
    steps('Three steps, about a minute.', [
      'Give your address and choose a password.',
      'Open the mail that we send there.',
      'Confirm that the address is yours, and sign in.',
    ]),
  )
}

/** Where one asks for a new password. */
export function forgotPage(site: Site): Html {
  const content = html`${state(
    'form',
    html`${heading('Forgot your password?')}
<p class="lead">Tell us your address, and we send a link there to choose a new one.</p>
${formOf('forgot-password', html`${emailField('forgot-password', address, 'username')}${submitButton('Send the link')}`)}
<p class="other"><a href="/account/sign-in">Back to sign-in</a></p>`,
    true,
  )}
${sentState('If there is an account for', 'a mail with a link is on its way there. The link works once, for a short while.')}`
  return formPage(
    site,
    { name: 'forgot-password', title: 'Forgot your password', content },
    steps('A new password, in three steps.', [
      'Tell us the address of your account.',
      'Open the link in the mail that we send there.',
      'Choose a new password. Every device is signed out.',
    ]),
  )
}

function sentState(before: string, after: string): Html {
  return outcome(
    'sent',
    'sent',
    'Check your mail',
    html`<p>${before} <strong class="typed" data-sent-to></strong>${before.startsWith('If') ? ',' : '.'} ${after}</p>
<p class="quiet">Nothing after a few minutes? Look into the spam folder, and check the spelling of the address.</p>
<button class="button quiet" type="button" data-again>Try another address</button>
<p class="other"><a href="/account/sign-in">Back to sign-in</a></p>`,
  )
}
