import { type Html, html } from '../base/index.ts'
import {
  consentField,
  emailField,
  formOf,
  nameField,
  newPasswordField,
  passwordField,
  submitButton,
} from './fields.ts'
import { heading, outcome, type Site, state, widePage } from './shell.ts'

const current = {
  label: 'Current password',
  noun: 'password',
  missing: 'Type your current password.',
} as const
// Never sent: it tells a password manager whose password it is about to store.
const username = html`<input class="unseen" type="email" autocomplete="username" tabindex="-1" aria-hidden="true" readonly data-username>`

/** The page of one's own account. The server puts nobody's data into it: the script asks the API. */
export function accountPage(site: Site): Html {
  const content = html`${state('loading', loading, true)}
${outcome('failed', 'bad', 'This did not load', html`<p data-why></p><button class="button main" type="button" data-retry>Try again</button>`)}
${state(
  'ready',
  html`<div class="title">${heading('Your account')}<p class="lead" data-email></p></div>
${section('profile-section', 'Profile', 'Your name, and who you are here.', profile)}
${section('address', 'E-mail address', 'You sign in with it, and mail goes there.', addressForm)}
${section('password', 'Password', 'Changing it signs out every other device.', passwordForm(site))}
${section('devices', 'Devices', 'Where you are signed in. If you do not recognise one, sign it out and change your password.', devices)}
${section('data', 'Your data', `Everything that ${site.siteName} keeps of you, as one file.`, data)}
${section('deletion', 'Delete the account', 'With everything that is yours here. There is no way back.', deletion)}`,
  false,
)}`
  const bar = formOf('sign-out', submitButton('Sign out', 'quiet'))
  return widePage(site, { name: 'account', title: 'Your account', content }, bar)
}

function section(id: string, title: string, text: string, content: Html): Html {
  return html`<section class="block" id="${id}" aria-labelledby="${id}-title">
<div class="about"><h2 id="${id}-title" tabindex="-1">${title}</h2><p>${text}</p></div>
<div class="card"><p class="notice" data-done hidden></p>${content}</div>
</section>`
}

/** A form behind a button, so that the page is calm and nothing is changed by mistake. */
function drawer(label: string, kind: 'quiet' | 'danger', content: Html): Html {
  return html`<details><summary class="button ${kind}">${label}</summary><div class="inside">${content}</div></details>`
}

function actions(button: Html): Html {
  return html`<div class="actions">${button}<button class="button plain" type="button" data-cancel>Cancel</button></div>`
}

const loading = html`<div aria-busy="true"><h1 class="unseen">Your account</h1><p class="unseen">Loading…</p>
<div class="bone title-bone"></div><div class="bone"></div><div class="bone"></div><div class="bone"></div></div>`

const profile = html`${formOf('profile', html`<div class="row-form">${nameField('profile')}${submitButton('Save', 'quiet')}</div>`)}
<dl><div><dt>Member since</dt><dd data-since></dd></div><div data-roles-row hidden><dt>Roles</dt><dd data-roles></dd></div></dl>`

const addressForm = html`<p class="value" data-email></p>
${drawer(
  'Change the address',
  'quiet',
  formOf(
    'change-address',
    html`${emailField('change-address', { name: 'email', label: 'New address', noun: 'address', missing: 'Type the new address.' }, 'email')}
${passwordField('change-address', { ...current, name: 'password' })}
${actions(submitButton('Send the mail'))}`,
  ),
)}`

function passwordForm({ minimumPasswordChars }: Site): Html {
  const next = {
    name: 'newPassword',
    label: 'New password',
    noun: 'password',
    missing: 'Choose a new password.',
  }
  return drawer(
    'Change the password',
    'quiet',
    formOf(
      'change-password',
      html`${username}${passwordField('change-password', { ...current, name: 'currentPassword' })}
${newPasswordField('change-password', next, minimumPasswordChars)}
${actions(submitButton('Save the password'))}`,
    ),
  )
}

const devices = html`<ul class="sessions" id="sessions" role="list" aria-busy="true"><li class="bone"></li></ul>
<p class="error" role="alert" data-sessions-failed hidden></p>
<p class="quiet" data-alone hidden>You are not signed in anywhere else.</p>
<template id="session"><li><div class="session"><p><strong data-device></strong> <span class="badge" data-current>This device</span></p>
<p class="quiet">Last seen <time data-seen></time> · <span class="address" data-address></span></p><p class="error" role="alert" hidden></p></div>
<button class="button quiet small" type="button">Sign out<span class="unseen" data-which></span></button></li></template>
${drawer('Sign out everywhere', 'quiet', formOf('sign-out-everywhere', html`<p>Every device has to sign in again, this one too.</p>${actions(submitButton('Yes, sign out everywhere'))}`))}`

const data = formOf('export', submitButton('Download my data', 'quiet'))

const deletion = drawer(
  'Delete the account',
  'danger',
  formOf(
    'delete-account',
    html`${username}<p>Your account and everything that you have made here are deleted: at once, and for good.</p>
${passwordField('delete-account', { ...current, name: 'password' })}
${consentField('delete-account', { name: 'sure', label: 'Yes, delete everything', noun: 'box', missing: 'Tick this if you are sure.' })}
${actions(submitButton('Delete for good', 'danger'))}`,
  ),
)
