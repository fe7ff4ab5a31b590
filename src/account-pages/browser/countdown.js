/** @import { PageElement } from './page-types.ts' */
import { announce, need } from './page.js'

/**
 * Keeps a form closed for as long as the server asked, counting down on its button. The alert says it once in words:
 * a number that changes every second is nothing to read aloud.
 *
 * @param {PageElement} form
 * @param {string} why
 * @param {number} waitSeconds
 */
export function showWait(form, why, waitSeconds) {
  const alert = need('[data-alert]', form)
  const button = need('[type=submit]', form)
  const label = need('[data-label]', button)
  const before = label.textContent ?? ''
  const endMs = Date.now() + waitSeconds * 1000
  alert.textContent = `${why} Wait ${inWords(waitSeconds)}, then try again.`
  alert.hidden = false
  alert.focus()
  button.dataset['busy'] = 'wait'
  button.setAttribute('aria-disabled', 'true')
  const tick = () => {
    // By the clock, not by counting: a tab in the background ticks less often.
    const left = Math.ceil((endMs - Date.now()) / 1000)
    if (left > 0) {
      label.textContent = `Try again in ${onClock(left)}`
      return
    }
    clearInterval(timer)
    label.textContent = before
    button.removeAttribute('aria-disabled')
    delete button.dataset['busy']
    alert.hidden = true
    announce('You can try again now.')
  }
  const timer = setInterval(tick, 250)
  tick()
}

/** @param {number} seconds */
function onClock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** @param {number} seconds */
function inWords(seconds) {
  if (seconds < 120) return seconds === 1 ? 'one second' : `${seconds} seconds`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 120 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}
