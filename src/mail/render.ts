import { assert } from '../base/index.ts'
import { htmlOf } from './html.ts'
import type { Letter, RenderedMail } from './letter.ts'
import { type LetterText, type Paragraph, textOf } from './texts.ts'
import { oneLine } from './words.ts'

/** What letters are rendered with. */
export interface RenderOptions {
  /** What the site is called. */
  readonly siteName: string
  /** Where every link must lead: `https://notes.example.com`. */
  readonly origin: string
}

const siteNameMaxChars = 60

/**
 * A letter as text and as HTML.
 *
 * @throws Error for a link that leads elsewhere than to the public origin: it would have been made of a request's Host
 * @see GHSA-2wmj-46rj-qm2w (a link made of a forwarded host); OWASP ASVS 5.0 §1.2.1, §1.2.2
 * @example render({ to: 'ann@example.com', template: 'email-changed', values: { at } }, { siteName: 'Notes', origin })
 */
export function render(letter: Letter, { siteName, origin }: RenderOptions): RenderedMail {
  const site = [...oneLine(siteName)].slice(0, siteNameMaxChars).join('')
  const text = textOf(letter, site)
  const links = linksIn(text)
  for (const link of links) assert(leadsTo(origin, link), 'a link in a mail leads to the public origin')
  return {
    to: letter.to,
    subject: oneLine(text.subject),
    text: plainText(text, site),
    html: htmlOf(text, site),
    links,
  }
}

// Held against the text and against what a browser makes of it: one of them alone can be talked round by
// `https://site.example@evil.example`, the other by a line break in the middle.
function leadsTo(origin: string, link: string): boolean {
  return link.startsWith(`${origin}/`) && URL.parse(link)?.href === link
}

function linksIn({ body, action, after }: LetterText): readonly string[] {
  const links = [...body.map(linkOf), action?.link, ...after.map(linkOf)]
  return links.filter((link) => link !== undefined)
}

function linkOf({ link }: Paragraph): string | undefined {
  return link
}

function plainText({ body, action, after }: LetterText, siteName: string): string {
  const pressed = action === undefined ? [] : [{ text: `${action.label}:`, link: action.link }]
  const paragraphs = [...body, ...pressed, ...after].map(({ text, link }) =>
    link === undefined ? text : `${text}\n${link}`,
  )
  return `${paragraphs.join('\n\n')}\n\n-- \n${siteName}\n`
}
