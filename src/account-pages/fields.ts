import { type Html, html, none } from '../base/index.ts'

/** One field of a form. */
export interface FieldText {
  readonly name: string
  readonly label: string
  /** What a reason of the server is about: `This password has …`. */
  readonly noun: string
  /** What to say when nothing was typed; without it the field may stay empty. */
  readonly missing?: string
}

/** A field for an e-mail address. */
export function emailField(form: string, field: FieldText, autocomplete: 'username' | 'email'): Html {
  const input = html`<input ${inputFacts(form, field)} type="email" autocomplete="${autocomplete}" inputmode="email" autocapitalize="none" spellcheck="false">`
  return fieldOf(form, field, input, none)
}

/** A field for a person's name, which may stay empty. */
export function nameField(form: string): Html {
  const field = { name: 'name', label: 'Name', noun: 'name' }
  const input = html`<input ${inputFacts(form, field)} type="text" autocomplete="name">`
  return fieldOf(form, field, input, html` <span class="optional">optional</span>`)
}

/** A field for the password of now. */
export function passwordField(form: string, field: FieldText, aside: Html = none): Html {
  const input = passwordInput(form, field, 'current-password')
  return fieldOf(form, field, input, none, { aside, isPassword: true })
}

/**
 * A field for a new password. There is no `maxlength`, so nothing is ever cut, and pasting works: managers paste.
 *
 * @param minimumChars What the server asks for at least.
 * @see NIST SP 800-63B-4 §3.1.1.2; OWASP ASVS 5.0 §6.2.6, §6.2.7
 */
export function newPasswordField(form: string, field: FieldText, minimumChars: number): Html {
  const input = passwordInput(form, field, 'new-password')
  const hint = html`<div class="length"><progress max="${minimumChars}" value="0" aria-hidden="true"></progress><p class="hint" id="${form}-${field.name}-hint"><span data-count="${minimumChars}">At least ${minimumChars} characters</span></p></div>
<p class="hint">Several words that do not belong together are easy to keep and hard to guess.</p>`
  return fieldOf(form, field, input, none, { hint, isPassword: true })
}

/** A box that must be ticked. */
export function consentField(form: string, field: FieldText): Html {
  return html`<div class="field" data-noun="${field.noun}">
<label class="check" for="${form}-${field.name}"><input ${inputFacts(form, field)} type="checkbox" value="yes"><span>${field.label}</span></label>
${errorOf(form, field)}</div>`
}

/**
 * A form. It has no address to send to: without the script nothing leaves the page, and a browser that submits it by
 * itself must not put a password into an address, so it says `post`.
 */
export function formOf(id: string, content: Html): Html {
  return html`<form id="${id}" method="post" novalidate>
<p class="alert" role="alert" tabindex="-1" data-alert hidden></p>
${content}
</form>`
}

/** The button that sends a form. The script switches it on. */
export function submitButton(label: string, kind: 'main' | 'quiet' | 'danger' = 'main'): Html {
  return html`<button class="button ${kind}" type="submit" disabled><span class="spinner" aria-hidden="true"></span><span data-label>${label}</span></button>`
}

interface FieldExtras {
  readonly hint?: Html
  /** Stands at the right of the label. */
  readonly aside?: Html
  readonly isPassword?: boolean
}

function fieldOf(
  form: string,
  field: FieldText,
  input: Html,
  mark: Html,
  { hint = none, aside = none, isPassword = false }: FieldExtras = {},
): Html {
  const id = `${form}-${field.name}`
  const show = html`<button class="show" type="button" data-show aria-controls="${id}"><span data-show-label>Show</span><span class="unseen"> ${field.label.toLowerCase()}</span></button>`
  const box = isPassword ? html`<div class="with-show">${input}${show}</div>` : input
  return html`<div class="field" data-noun="${field.noun}"${isPassword ? html` data-password` : none}>
<div class="label"><label for="${id}">${field.label}${mark}</label>${aside}</div>
${box}
${errorOf(form, field)}${hint}</div>`
}

function errorOf(form: string, field: FieldText): Html {
  return html`<p class="error" id="${form}-${field.name}-error" hidden></p>`
}

function inputFacts(form: string, { name, missing }: FieldText, hints = ''): Html {
  const id = `${form}-${name}`
  const required = missing === undefined ? none : html` required data-missing="${missing}"`
  return html`id="${id}" name="${name}" aria-describedby="${id}-error${hints}"${required}`
}

function passwordInput(
  form: string,
  field: FieldText,
  autocomplete: 'current-password' | 'new-password',
): Html {
  const hints = autocomplete === 'new-password' ? ` ${form}-${field.name}-hint` : ''
  return html`<input ${inputFacts(form, field, hints)} type="password" autocomplete="${autocomplete}" autocapitalize="none" autocorrect="off" spellcheck="false">`
}
