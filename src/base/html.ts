import { assert } from './assert.ts'

/** Markup that is safe to put into a page: made by {@link html} and by nothing else. */
class Html {
  readonly #text: string

  constructor(token: typeof made, text: string) {
    // Only this file has the token, so no text becomes markup without passing the escape below.
    this.#text = token === made ? text : ''
  }

  toString(): string {
    return this.#text
  }
}

const made = Symbol('made by html')

export type { Html }

/** What a template can hold: text is escaped, markup is not. */
export type Part = string | number | Html | readonly Html[]

/**
 * Makes markup. Every value is escaped unless it is markup itself, so forgetting to escape is not possible; the same
 * holds inside attributes, which must be quoted.
 *
 * @see OWASP ASVS 5.0 §1.2.1
 * @example html`<a href="#${id}">${title}</a>`
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const text = strings.map((string, index) => {
    const part = parts[index]
    return part === undefined ? string : string + markupOf(part)
  })
  return new Html(made, text.join(''))
}

/** A style element. The text is not escaped, because nothing is an escape there: it must hold nothing to escape. */
export function styleElement(css: string): Html {
  assert(!css.includes('<'), 'a style of ours holds no markup')
  return new Html(made, `<style>${css}</style>`)
}

/** No markup. */
export const none: Html = html``

function markupOf(part: Part): string {
  if (part instanceof Html) return part.toString()
  if (typeof part === 'string' || typeof part === 'number') return escapedHtml(String(part))
  return part.map(markupOf).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/** A text as it may stand in markup, also within a quoted attribute; for markup that no template makes. */
export function escapedHtml(text: string): string {
  return (
    text
      .replaceAll(/[&<>"'`]/g, (character) => entities[character] ?? '')
      // What is invisible or turns the reading direction could make a page say what its source does not.
      .replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (character) =>
        /[\n\t]/.test(character) ? character : '\ufffd',
      )
  )
}
