import { type Html, html, none } from '../base/index.ts'
import { scriptNames } from './script.ts'

/** What all pages share. */
export interface Site {
  /** What the site is called. */
  readonly siteName: string
  /** The least characters of a password. */
  readonly minimumPasswordChars: number
  /** Where somebody may be sent after signing in. */
  readonly returnPaths: readonly string[]
}

/** One page, before it has a frame. */
export interface PageText {
  /** Its address is `/account/<name>`. */
  readonly name: string
  readonly title: string
  readonly content: Html
}

/** A page with a form beside a panel that says what happens. */
export function formPage(site: Site, page: PageText, panel: Html): Html {
  return documentOf(
    site,
    page,
    html`<div class="split">
<header class="panel">
${ripples}
${brand(site)}
<div class="story">${panel}</div>
<p class="where">You are at <strong data-host></strong>. Type your password only where the address bar shows this name.</p>
</header>
<main id="content"><div class="column">
${page.content}
</div></main>
</div>`,
  )
}

/** A page under a bar. */
export function widePage(site: Site, page: PageText, bar: Html): Html {
  return documentOf(
    site,
    page,
    html`<header class="bar"><div class="bar-inside">${brand(site)}${bar}</div></header>
<main id="content" class="wide">
${page.content}
</main>`,
  )
}

/** Steps, in order; the first ones are done. */
export function steps(title: string, texts: readonly string[]): Html {
  return html`<h2>${title}</h2><ol class="steps">${texts.map((text) => html`<li>${text}</li>`)}</ol>`
}

/** Facts, in no order. */
export function facts(title: string, texts: readonly string[]): Html {
  return html`<h2>${title}</h2><ul class="facts">${texts.map((text) => html`<li>${text}</li>`)}</ul>`
}

/** One state of a page. The script shows one at a time; the first is there before it runs. */
export function state(name: string, content: Html, isFirst: boolean): Html {
  return html`<section data-state="${name}"${isFirst ? none : html` hidden`}>${content}</section>`
}

/** The heading of a state, which gets the focus when the state is shown. */
export function heading(text: string): Html {
  return html`<h1 tabindex="-1" data-heading>${text}</h1>`
}

/** A state that tells how something ended. */
export function outcome(name: string, kind: 'good' | 'bad' | 'sent', title: string, content: Html): Html {
  return state(name, html`<div class="mark ${kind}">${marks[kind]}</div>${heading(title)}${content}`, false)
}

/** A link that looks like a button. */
export function linkButton(href: string, label: string): Html {
  return html`<a class="button main" href="${href}">${label}</a>`
}

function documentOf(site: Site, { name, title }: PageText, body: Html): Html {
  return html`<!doctype html>
<html lang="en" data-page="${name}" data-return-paths="${site.returnPaths.join(' ')}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${title} – ${site.siteName}</title>
<link rel="icon" href="${icon(site)}">
<link rel="stylesheet" href="/account/app.css">
${scriptNames.map((script) => html`<link rel="modulepreload" href="/account/${script}">`)}
<script type="module" src="/account/app.js"></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
${body}
<noscript><p class="noscript">This page needs JavaScript: what you type is sent by a small script of this site, and never by the form itself.</p></noscript>
<p class="unseen" id="live" aria-live="polite"></p>
</body>
</html>
`
}

function brand({ siteName }: Site): Html {
  return html`<p class="brand"><span class="tile" aria-hidden="true">${initial(siteName)}</span><span class="site">${siteName}</span></p>`
}

function initial(siteName: string): string {
  return /[\p{L}\p{N}]/u.exec(siteName)?.[0].toUpperCase() ?? '•'
}

function icon({ siteName }: Site): string {
  const svg = html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#08695a"/><text x="16" y="22.5" text-anchor="middle" font-family="system-ui,sans-serif" font-size="19" font-weight="700" fill="#fff">${initial(siteName)}</text></svg>`
  return `data:image/svg+xml,${encodeURIComponent(String(svg))}`
}

const ripples = html`<svg class="ripples" viewBox="0 0 600 600" aria-hidden="true" focusable="false"><g fill="none" stroke="currentColor" stroke-width="1.25">${[
  60, 104, 152, 204, 260, 320, 384, 452, 524, 600,
].map(
  (radius) => html`<circle cx="470" cy="520" r="${radius}"/>`,
)}</g><circle cx="470" cy="520" r="9" fill="currentColor"/></svg>`

const marks = {
  good: html`<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5 12.5l4.5 4.5L19 7.5"/></svg>`,
  bad: html`<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 6v7.5M12 17.5v.5"/></svg>`,
  sent: html`<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 6.5h16v11H4zM4 7l8 6.5L20 7"/></svg>`,
}
