import { sessionStorage } from './page.js'

const place = 'account-note'

// What one page has to tell on the next. Only these names are kept, so nothing that somebody typed is stored, and no
// link can put a sentence of its own on a page.
/** @type {Readonly<Record<string, string>>} */
const notes = {
  'sign-in-first': 'Sign in to see your account.',
  'signed-out': 'You are signed out.',
  'signed-out-everywhere': 'You are signed out on every device.',
  deleted: 'Your account is gone, with everything in it.',
}

/**
 * Leaves a note for the next page of this tab.
 *
 * @param {string} name
 */
export function leaveNote(name) {
  try {
    sessionStorage.setItem(place, name)
  } catch {
    // Storage can be switched off; then the next page says nothing.
  }
}

/**
 * Takes the note that the page before has left.
 *
 * @returns {string} Empty when there is none.
 */
export function takeNote() {
  try {
    const name = sessionStorage.getItem(place) ?? ''
    sessionStorage.removeItem(place)
    return Object.hasOwn(notes, name) ? (notes[name] ?? '') : ''
  } catch {
    return ''
  }
}
