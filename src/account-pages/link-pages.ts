import { type Html, html } from '../base/index.ts'
import { emailField, formOf, nameField, newPasswordField, submitButton } from './fields.ts'
import { facts, formPage, heading, linkButton, outcome, type Site, state, steps } from './shell.ts'

/** What a page that is reached by a link says. */
interface LinkText {
  readonly name: string
  readonly title: string
  readonly lead: string
  readonly form: Html
  readonly done: { readonly title: string; readonly text: string }
  /** Where a new link comes from. */
  readonly again: { readonly text: string; readonly action: Html }
  readonly panel: Html
}

const linkFacts = facts('Why a button?', [
  'Programs that check mail for danger open its links, too. Only you press buttons.',
  'The link works once and for a short while. It is gone from your address bar already.',
])

/** Where the link of a registration leads. */
export function verifyPage(site: Site): Html {
  return linkPage(site, {
    name: 'verify-email',
    title: 'Confirm your address',
    lead: 'Press the button, and your account is ready.',
    form: submitButton('Confirm the address'),
    done: {
      title: 'Your account is ready',
      text: 'The address is confirmed. Sign in with it and your password.',
    },
    again: {
      text: 'It works once and for a short while. If you have used it already, sign in; otherwise register again.',
      action: linkButton('/account/register', 'Register again'),
    },
    panel: linkFacts,
  })
}

/** Where the link of a new address leads. */
export function changeEmailPage(site: Site): Html {
  return linkPage(site, {
    name: 'change-email',
    title: 'Confirm your new address',
    lead: 'From then on you sign in with it, and mail goes there. Every device is signed out.',
    form: submitButton('Confirm the new address'),
    done: {
      title: 'Your address is changed',
      text: 'Sign in with the new one. Your password stays what it is.',
    },
    again: {
      text: 'It works once and for a short while. Ask for a new mail on the page of your account.',
      action: linkButton('/account', 'To your account'),
    },
    panel: linkFacts,
  })
}

/** Where the link of a forgotten password leads. */
export function resetPage(site: Site): Html {
  return linkPage(site, {
    name: 'reset-password',
    title: 'Choose a new password',
    lead: 'With it every device is signed out, and only the new password works.',
    form: html`${newPasswordField('reset-password', newPassword, site.minimumPasswordChars)}${submitButton('Save the password')}`,
    done: {
      title: 'Your password is changed',
      text: 'Every device is signed out. Sign in with the new one.',
    },
    again: {
      text: 'It works once and for a short while. Ask for a new one.',
      action: linkButton('/account/forgot-password', 'Send a new link'),
    },
    panel: facts('A password that lasts.', [
      'Length counts most: four or five words beat one with a 7 in it.',
      'Use one that you use nowhere else. A password manager makes and keeps it.',
      'We refuse passwords that everybody tries first, and say why.',
    ]),
  })
}

/** Where the link of the first start leads. */
export function setupPage(site: Site): Html {
  const address = {
    name: 'email',
    label: 'E-mail address',
    noun: 'address',
    missing: 'Type your e-mail address.',
  }
  return linkPage(site, {
    name: 'setup',
    title: 'The first administrator',
    lead: `of ${site.siteName}: an account that can manage all others.`,
    form: html`${emailField('setup', address, 'username')}
${nameField('setup')}
${newPasswordField('setup', newPassword, site.minimumPasswordChars)}
${submitButton('Create the administrator')}`,
    done: { title: 'The administrator is ready', text: 'The link is used up. Sign in to go on.' },
    again: {
      text: 'It works once, for as long as there is no administrator. The server prints a new one when it starts.',
      action: linkButton('/account/sign-in', 'Sign in'),
    },
    panel: steps('Once per installation.', [
      'The server printed this link when it started.',
      'Whoever uses it first becomes the administrator.',
      'After that the link is worth nothing, and neither is this page.',
    ]),
  })
}

const newPassword = {
  name: 'password',
  label: 'New password',
  noun: 'password',
  missing: 'Choose a password.',
} as const

function linkPage(site: Site, { name, title, lead, form, done, again, panel }: LinkText): Html {
  const signIn = linkButton('/account/sign-in', 'Sign in')
  const content = html`${state('form', html`${heading(title)}<p class="lead">${lead}</p>${formOf(name, form)}`, true)}
${outcome('done', 'good', done.title, html`<p>${done.text}</p>${signIn}`)}
${outcome('refused', 'bad', 'This link does not work any more', html`<p>${again.text}</p>${again.action}<p class="other"><a href="/account/sign-in">Back to sign-in</a></p>`)}
${outcome('missing', 'bad', 'Something is missing here', html`<p>This page is reached by a link that we send. Open the link once more: the whole of it, in one piece.</p>${again.action}<p class="other"><a href="/account/sign-in">Back to sign-in</a></p>`)}`
  return formPage(site, { name, title, content }, panel)
}
