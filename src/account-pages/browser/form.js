/** @import { FormJob, PageElement, Refusal } from './page-types.ts' */
import { showWait } from './countdown.js'
import { announce, need } from './page.js'
import { concealPasswords, wirePasswords } from './password.js'

/**
 * Makes a form work: checks that what is required is there, sends it, and shows what is wrong where it is wrong.
 *
 * @param {string} selector
 * @param {FormJob} job
 */
export function wireForm(selector, job) {
  const form = need(selector)
  const button = need('[type=submit]', form)
  wirePasswords(form)
  // Disabled until now: without this script the form would have nowhere to go.
  button.disabled = false
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    if (button.dataset['busy'] === undefined) void submit(form, button, job)
  })
}

/**
 * @param {PageElement} form
 * @param {PageElement} button
 * @param {FormJob} job
 */
async function submit(form, button, job) {
  clearFaults(form)
  concealPasswords(form)
  if (showMissing(form)) return
  const values = valuesOf(form)
  const label = need('[data-label]', button)
  const before = label.textContent ?? ''
  button.dataset['busy'] = ''
  // Not `disabled`, which would drop the focus to the top of the page.
  button.setAttribute('aria-disabled', 'true')
  label.textContent = job.busy
  announce(job.busy)
  const reply = await job.send(values)
  label.textContent = before
  button.removeAttribute('aria-disabled')
  delete button.dataset['busy']
  announce('')
  if (reply.ok) await job.done(values, reply)
  else if (job.refused?.(reply, form) !== true) showRefusal(form, reply)
}

/**
 * Shows why a request was refused: at the fields that it names, and above the form for the rest.
 *
 * @param {PageElement} form
 * @param {Refusal} refusal
 */
export function showRefusal(form, refusal) {
  const { status, title, faults, retrySeconds, instance } = refusal
  if (retrySeconds !== null && (status === 429 || status === 503)) {
    showWait(form, status === 429 ? 'Too many attempts.' : 'The server is busy.', retrySeconds)
    return
  }
  const unplaced = faults.filter(({ field, message }) => !showFault(form, field, message))
  const first = form.querySelector('[aria-invalid=true]')
  if (first !== null && unplaced.length === 0) {
    first.focus()
    return
  }
  const said = unplaced.map(({ field, message }) => sentenceOf(field, message))
  const reference =
    status >= 500 && instance !== '' ? ` If it goes on, tell us this reference: ${instance}` : ''
  showAlert(form, said.length > 0 ? said.join(' ') : `${title}${reference}`)
}

/**
 * Says something above a form and moves the focus there.
 *
 * @param {PageElement} form
 * @param {string} text
 */
export function showAlert(form, text) {
  const alert = need('[data-alert]', form)
  alert.textContent = text
  alert.hidden = false
  alert.focus()
}

/**
 * Marks a field and says why.
 *
 * @param {PageElement} form
 * @param {string} name
 * @param {string} message
 * @returns {boolean} Whether the form has that field.
 */
export function showFault(form, name, message) {
  const input = inputsOf(form).find((one) => one.name === name)
  const field = input?.closest('.field')
  if (input === undefined || field === null || field === undefined) return false
  const error = need('.error', field)
  error.textContent = sentenceOf(field.dataset['noun'] ?? 'field', message)
  error.hidden = false
  input.setAttribute('aria-invalid', 'true')
  return true
}

/** @param {PageElement} form */
export function clearFaults(form) {
  const alert = need('[data-alert]', form)
  alert.hidden = true
  alert.textContent = ''
  for (const error of form.querySelectorAll('.error')) {
    error.hidden = true
    error.textContent = ''
  }
  for (const input of inputsOf(form)) input.removeAttribute('aria-invalid')
}

/**
 * @param {PageElement} form
 * @returns {boolean} Whether something is missing.
 */
function showMissing(form) {
  const missing = inputsOf(form).filter((input) => {
    const isMissing = input.type === 'checkbox' ? !input.checked : input.value === ''
    return isMissing && input.dataset['missing'] !== undefined
  })
  for (const input of missing) showFault(form, input.name, input.dataset['missing'] ?? '')
  missing[0]?.focus()
  return missing.length > 0
}

/**
 * The server's reasons begin in the middle of a sentence (`is one of the passwords …`): the field is its subject.
 *
 * @param {string} noun
 * @param {string} message
 */
function sentenceOf(noun, message) {
  const text = /^(is|has|was|needs|must)\b/.test(message) ? `This ${noun} ${message}` : message
  const sentence = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`
}

/**
 * @param {PageElement} form
 * @returns {Readonly<Record<string, string>>}
 */
function valuesOf(form) {
  return Object.fromEntries(
    inputsOf(form).map((input) => [input.name, input.type === 'email' ? input.value.trim() : input.value]),
  )
}

/** @param {PageElement} form */
function inputsOf(form) {
  return [...form.querySelectorAll('input[name]')]
}
