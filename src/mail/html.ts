import { escapedHtml } from '../base/index.ts'
import type { LetterText, Paragraph } from './texts.ts'

// Colours stand inline, for programs that read nothing else, and once more for the dark, for those that know it.
// Each pair has a contrast of at least 4.5 to 1 (WCAG 2.2 §1.4.3). Nothing is loaded from anywhere: opening the
// mail tells nobody that it was opened.
const light = { page: '#f3f4f6', card: '#ffffff', line: '#e2e5e9', text: '#1f2328', soft: '#59636e' }
const dark = { page: '#131518', card: '#1e2125', line: '#353a41', text: '#e6e8eb', soft: '#a0a8b2' }
const button = '#1d4ed8'
const darkLink = '#8ab4f8'
const font = `16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif`

const darkStyle =
  `:root{color-scheme:light dark;supported-color-schemes:light dark}` +
  `@media (prefers-color-scheme:dark){` +
  `.page{background:${dark.page}!important}` +
  `.card{background:${dark.card}!important;border-color:${dark.line}!important;color:${dark.text}!important}` +
  `.soft{color:${dark.soft}!important;border-color:${dark.line}!important}` +
  `.link{color:${darkLink}!important}}`

/**
 * A letter as HTML. Every text in it is escaped, and only links of the letter are links.
 *
 * @see OWASP ASVS 5.0 §1.2.1; GHSA-4hmq-ggrm-qfc6 (HTML of a client in a mail)
 */
export function htmlOf({ subject, body, action, after }: LetterText, siteName: string): string {
  const pressed = action === undefined ? '' : buttonOf(action)
  return (
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width,initial-scale=1">` +
    `<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">` +
    `<title>${escapedHtml(subject)}</title><style>${darkStyle}</style></head>\n` +
    `<body class="page" style="margin:0;padding:0;background:${light.page}">` +
    `<div class="page" style="padding:40px 16px;background:${light.page}">` +
    `<div class="card" style="max-width:536px;margin:0 auto;padding:32px;box-sizing:border-box;` +
    `background:${light.card};border:1px solid ${light.line};border-radius:12px;color:${light.text};font:${font}">` +
    `<p class="soft" style="margin:0 0 20px;font-size:14px;font-weight:600;color:${light.soft}">${escapedHtml(siteName)}</p>` +
    `<h1 style="margin:0 0 16px;font-size:21px;line-height:1.3">${escapedHtml(subject)}</h1>\n` +
    `${body.map(paragraphOf).join('')}${pressed}${after.map(paragraphOf).join('')}` +
    `</div></div></body></html>\n`
  )
}

function paragraphOf({ text, link }: Paragraph): string {
  return `<p style="margin:16px 0 0">${escapedHtml(text)}${link === undefined ? '' : ` ${linkOf(link)}`}</p>\n`
}

function buttonOf({ label, link }: { readonly label: string; readonly link: string }): string {
  return (
    `<p style="margin:24px 0 0"><a href="${escapedHtml(link)}" style="display:inline-block;padding:12px 22px;` +
    `border-radius:8px;background:${button};color:#ffffff;font-weight:600;text-decoration:none">` +
    `${escapedHtml(label)}</a></p>\n` +
    `<p class="soft" style="margin:16px 0 24px;padding:0 0 24px;border-bottom:1px solid ${light.line};font-size:13px;` +
    `color:${light.soft}">If the button does nothing, copy this address: ${linkOf(link)}</p>\n`
  )
}

function linkOf(link: string): string {
  return `<a class="link" href="${escapedHtml(link)}" style="color:${button};word-break:break-all">${escapedHtml(link)}</a>`
}
