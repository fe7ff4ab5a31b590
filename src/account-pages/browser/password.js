/** @import { PageElement } from './page-types.ts' */
import { announce, need } from './page.js'

/**
 * Wires the password fields of a form: the button that shows what was typed, and the count of characters of a new one.
 *
 * @see NIST SP 800-63B-4 §3.1.1.2 (an option to display the password; guidance about what is taken)
 * @param {PageElement} form
 */
export function wirePasswords(form) {
  for (const field of form.querySelectorAll('[data-password]')) {
    const input = need('input', field)
    const show = need('[data-show]', field)
    show.addEventListener('click', () => {
      setShown(field, input.type === 'password')
    })
    const count = field.querySelector('[data-count]')
    if (count === null) continue
    const least = Number(count.dataset['count'])
    input.addEventListener('input', () => {
      showCount(field, input.value, least)
    })
    form.addEventListener('reset', () => {
      showCount(field, '', least)
    })
  }
}

/**
 * Hides what was shown, before it is sent: a browser keeps what it finds in a text field among its suggestions.
 *
 * @param {PageElement} form
 */
export function concealPasswords(form) {
  for (const field of form.querySelectorAll('[data-password]')) setShown(field, false)
}

/**
 * @param {PageElement} field
 * @param {boolean} isShown
 */
function setShown(field, isShown) {
  need('input', field).type = isShown ? 'text' : 'password'
  need('[data-show-label]', field).textContent = isShown ? 'Hide' : 'Show'
}

/**
 * @param {PageElement} field
 * @param {string} value
 * @param {number} least
 */
function showCount(field, value, least) {
  // As the server counts: code points of the composed form, so an emoji is one and `é` is one on every keyboard.
  const chars = [...value.normalize('NFC')].length
  const bar = need('progress', field)
  const before = Number(bar.value)
  bar.value = String(Math.min(chars, least))
  const isEnough = chars >= least
  need('[data-count]', field).textContent = textFor(chars, least)
  if (isEnough !== before >= least)
    announce(isEnough ? 'The password is long enough.' : `At least ${least} characters.`)
}

/**
 * @param {number} chars
 * @param {number} least
 */
function textFor(chars, least) {
  if (chars === 0) return `At least ${least} characters`
  return chars < least ? `${chars} of at least ${least} characters` : `${chars} characters – long enough`
}
