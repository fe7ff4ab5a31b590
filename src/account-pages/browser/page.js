/** @import { Page, PageElement, PageRoot } from './page-types.ts' */

// The one place where the globals of the browser get their types; see page-types.ts for why there are any.
const browser = /** @type {Page} */ (/** @type {unknown} */ (globalThis))

export const { document, history, location, navigator, sessionStorage } = browser

/**
 * Listens at the window.
 *
 * @type {Page['addEventListener']}
 */
export function onWindow(type, listener) {
  browser.addEventListener(type, listener)
}

/**
 * The element that a page must hold.
 *
 * @param {string} selector
 * @param {PageRoot} [root]
 * @returns {PageElement}
 */
export function need(selector, root = document) {
  const found = root.querySelector(selector)
  if (found === null) throw new TypeError(`the page has no ${selector}`)
  return found
}

/**
 * Shows one of the states of a page and hides the others; the heading of the state gets the focus, so that a screen
 * reader says where one is.
 *
 * @param {string} name
 * @param {boolean} [moveFocus]
 */
export function showState(name, moveFocus = true) {
  for (const state of document.querySelectorAll('[data-state]'))
    state.hidden = state.dataset['state'] !== name
  if (moveFocus) document.querySelector(`[data-state="${name}"] [data-heading]`)?.focus()
}

/**
 * Says something to a screen reader without moving its focus.
 *
 * @param {string} text
 */
export function announce(text) {
  need('#live').textContent = text
}
