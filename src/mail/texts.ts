import type { LetterOf, LetterValues, TemplateName } from './letter.ts'
import { ipAddress, lineOf, plainWords, when } from './words.ts'

/** A paragraph; one with a link ends with it. */
export interface Paragraph {
  readonly text: string
  readonly link?: string
}

/** What a letter says, before it is text or HTML. */
export interface LetterText {
  readonly subject: string
  readonly body: readonly Paragraph[]
  /** What to press. */
  readonly action?: { readonly label: string; readonly link: string }
  /** What to do if it was not you, after the action. */
  readonly after: readonly Paragraph[]
}

type Texts = {
  readonly [Template in TemplateName]: (values: LetterValues[Template], siteName: string) => LetterText
}

const deviceMaxChars = 60
const roleMaxChars = 40
const roleMaxCount = 20
const alertSubjectMaxChars = 150
const alertLineMaxChars = 500
const alertLineMaxCount = 30

/**
 * What a letter says. Names of people stay out, and the few words that come from outside are made plain, so nobody can
 * have our mail say what they want.
 *
 * @param siteName What the site is called.
 * @see GHSA-4hmq-ggrm-qfc6 (a reset mail that said what the attacker wanted)
 */
export function textOf<Template extends TemplateName>(
  letter: LetterOf<Template>,
  siteName: string,
): LetterText {
  return texts[letter.template](letter.values, siteName)
}

const texts: Texts = {
  'verify-email': ({ link, minutes }, siteName) => ({
    subject: `Confirm your address for ${siteName}`,
    body: say(`Somebody, hopefully you, registered at ${siteName} with this address.`),
    action: { label: 'Confirm the address', link },
    after: say(validFor(minutes), 'If it was not you, do nothing: without this link there is no account.'),
  }),
  'already-registered': ({ signIn, reset }, siteName) => ({
    subject: `You already have an account at ${siteName}`,
    body: say(
      `Somebody, maybe you, tried to use this address at ${siteName}. It has an account already, and nothing has changed.`,
    ),
    action: { label: 'Sign in', link: signIn },
    after: [
      { text: 'If you have forgotten your password, ask for a new one:', link: reset },
      ...say('If it was not you, there is nothing to do.'),
    ],
  }),
  'reset-password': ({ link, minutes }, siteName) => ({
    subject: `A new password for ${siteName}`,
    body: say(`Somebody, hopefully you, asked for a new password at ${siteName}.`),
    action: { label: 'Choose a new password', link },
    after: say(validFor(minutes), 'If it was not you, do nothing: your password stays what it is.'),
  }),
  'password-changed': ({ at, link }, siteName) => ({
    subject: `Your password for ${siteName} was changed`,
    body: say(`Your password at ${siteName} was changed at ${when(at)}. Every session has ended.`),
    action: { label: 'This was not me: choose a new password', link },
    after: say('If it was you, there is nothing to do.'),
  }),
  'confirm-new-email': ({ link, minutes }, siteName) => ({
    subject: `Confirm your new address for ${siteName}`,
    body: say(`This address is to become the one of an account at ${siteName}.`),
    action: { label: 'Confirm the new address', link },
    after: say(validFor(minutes), 'If it was not you, do nothing: without this link nothing changes.'),
  }),
  'email-changed': ({ at }, siteName) => ({
    subject: `The address of your account at ${siteName} was changed`,
    body: say(
      `Your account at ${siteName} has another address since ${when(at)}. Every session has ended, and mail goes there from now on.`,
    ),
    after: say(
      'If it was you, there is nothing to do.',
      `If it was not you, somebody knows your password. Tell the people who run ${siteName} at once.`,
    ),
  }),
  'new-device': ({ at, device, address, link }, siteName) => ({
    subject: `A new device signed in to ${siteName}`,
    body: say(
      `${capital(plainWords(device, deviceMaxChars) || 'an unknown device')} signed in to your account at ${siteName} at ${when(at)}, from ${ipAddress(address)}.`,
    ),
    action: { label: 'This was not me: choose a new password', link },
    after: say('If it was you, there is nothing to do.'),
  }),
  'sign-in-disabled': ({ link }, siteName) => ({
    subject: `Your password for ${siteName} no longer works`,
    body: say(
      `Too many wrong passwords were tried for your account at ${siteName}, so its password is switched off. Devices on which you have signed in before are not affected.`,
    ),
    action: { label: 'Choose a new password', link },
    after: say(
      'If it was not you who tried, somebody guesses. A long password of several words keeps them out.',
    ),
  }),
  'roles-changed': ({ at, roles }, siteName) => ({
    subject: `Your roles at ${siteName} have changed`,
    body: say(`Since ${when(at)} your account at ${siteName} has ${rolesText(roles)}.`),
    after: say('If you did not expect this, ask the people who run it.'),
  }),
  'account-deleted': ({ at }, siteName) => ({
    subject: `Your account at ${siteName} is gone`,
    body: say(`Your account at ${siteName} was deleted at ${when(at)}, with everything in it.`),
    after: say(`If it was not you, tell the people who run ${siteName}.`),
  }),
  alert: ({ subject, lines }, siteName) => ({
    subject: `${siteName}: ${lineOf(subject, alertSubjectMaxChars)}`,
    body: say(...lines.slice(0, alertLineMaxCount).map((line) => lineOf(line, alertLineMaxChars))),
    after: say('You get this because your address stands in ALERT_MAIL_TO.'),
  }),
}

function say(...texts: readonly string[]): readonly Paragraph[] {
  return texts.map((text) => ({ text }))
}

function validFor(minutes: number): string {
  return `The link works once, within ${minutes} minutes.`
}

function rolesText(roles: readonly string[]): string {
  if (roles.length === 0) return 'no roles'
  const shown = roles.slice(0, roleMaxCount).map((role) => plainWords(role, roleMaxChars))
  return `these roles: ${shown.join(', ')}${roles.length > roleMaxCount ? ', and more' : ''}`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
