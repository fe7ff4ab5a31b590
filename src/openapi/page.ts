import { type Html, html, none, styleElement } from '../base/index.ts'
import type { Plan, ResourcePlan } from '../route/index.ts'
import { jsonView } from './json-view.ts'
import { operationIds, tagOf } from './naming.ts'
import { methodMark, type PlacedRoute, pathView, routeView, sampleView } from './page-route.ts'
import { pageStyle } from './page-style.ts'
import { capitalised, limitSummary } from './phrases.ts'
import { problemExample } from './responses.ts'

/** What a reference page is made with. */
export interface PageParts {
  /** `http://127.0.0.1:3000` */
  readonly origin: string
  /** The SHA-256 digest of a text in base64; the policy names the style by it. */
  readonly sha256Base64: (text: string) => string
}

/** A page and the policy that it must be sent with. */
export interface ReferencePage {
  readonly html: string
  /** The value of `Content-Security-Policy`: this style, and nothing else at all. */
  readonly csp: string
}

interface Group {
  readonly tag: string
  readonly routes: readonly PlacedRoute[]
}

/**
 * The reference of an application as one page: no script, nothing loaded from anywhere, every text escaped. Pure.
 *
 * @see OWASP ASVS 5.0 §1.2.1, §3.4.3
 */
export function referencePage(plan: Plan, { origin, sha256Base64 }: PageParts): ReferencePage {
  const groups = groupsOf(plan)
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${plan.title} API reference</title>
${styleElement(pageStyle)}
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<div class="page">
<header class="side">${brandView(plan)}${linksView(plan, groups, 'Routes')}</header>
<header class="bar"><details><summary>${brandView(plan, 'span')}<span class="menu">Routes</span></summary>
${linksView(plan, groups, 'Routes, short')}</details></header>
<main id="content">
${heroView(plan, origin)}
${groups.map((group, index) => groupView(group, index, plan, origin))}
${resourcesView(plan.resources)}
<footer>Made by Holdfast from the declarations that the server enforces. Outside production only.</footer>
</main>
</div>
</body>
</html>
`
  const style = `style-src 'sha256-${sha256Base64(pageStyle)}'`
  return {
    html: page.toString(),
    csp: `default-src 'none'; ${style}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  }
}

const methodOrder = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Groups in the order they are declared, what Holdfast brings itself at the end; in each by path, reading first. */
function groupsOf({ routes }: Plan): readonly Group[] {
  const shown = routes.filter(({ method }) => method !== 'HEAD' && method !== 'OPTIONS')
  const ids = operationIds(shown)
  const groups = Map.groupBy(
    shown.map((route) => ({ route, id: ids.get(route) ?? '' })),
    ({ route }) => tagOf(route),
  )
  return [...groups]
    .map(([tag, placed]) => ({ tag, routes: placed.sort(byPathThenMethod) }))
    .sort((a, b) => weightOf(a) - weightOf(b))
}

function weightOf({ tag }: Group): number {
  return tag === 'server' ? 2 : tag === 'root' ? 1 : 0
}

function byPathThenMethod({ route: a }: PlacedRoute, { route: b }: PlacedRoute): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1
  return methodOrder.indexOf(a.method) - methodOrder.indexOf(b.method)
}

const logo = html`<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" fill="currentColor" opacity=".16"/><path d="M16 5v22M16 12c-5 0-7-2-7-5M16 12c5 0 7-2 7-5M16 27c-5 0-8-3-8-7M16 27c5 0 8-3 8-7" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round"/></svg>`

function brandView({ title, version }: Plan, element: 'a' | 'span' = 'a'): Html {
  const inner = html`${logo}<span>${title}<small>API reference, ${version}</small></span>`
  return element === 'a'
    ? html`<a class="brand" href="#content">${inner}</a>`
    : html`<span class="brand">${inner}</span>`
}

function linksView({ routes, resources }: Plan, groups: readonly Group[], label: string): Html {
  const document = routes.some(({ path }) => path === '/openapi.json')
    ? html`<li><a href="/openapi.json">OpenAPI 3.1 document</a></li>`
    : none
  const rows = resources.length > 0 ? html`<li><a href="#rows">Whose rows are whose</a></li>` : none
  const hasMore = rows !== none || document !== none
  return html`<nav aria-label="${label}">${groups.map(
    ({ tag, routes: placed }) =>
      html`<p class="group">${tag}</p><ul class="links" role="list">${placed.map(
        ({ route, id }) =>
          html`<li><a href="#${id}">${methodMark(route.method)}${pathView(shortPath(route.path))}</a></li>`,
      )}</ul>`,
  )}${hasMore ? html`<p class="group">More</p><ul class="links plain" role="list">${rows}${document}</ul>` : none}</nav>`
}

function shortPath(path: string): string {
  return path.replace(/^\/api\//, '/')
}

function heroView({ title, version, limits, routes }: Plan, origin: string): Html {
  // A class of one route alone stands beside that route.
  const used = Object.entries(limits).filter(([name]) =>
    routes.some(({ limit, method, path }) => limit === name && name !== `${method} ${path}`),
  )
  return html`<div class="hero"><h1>${title} <span class="pill">${version}</span></h1>
<p>What is written here is what the server enforces: it is made from the same declarations, so it cannot be out of date.</p>
<div class="columns"><div class="cards">
<section class="card"><h2>Address</h2><p><code>${origin}</code></p><p>JSON in, JSON out. Keys that are not declared are refused.</p></section>
<section class="card"><h2>Who you are</h2><p><code>Authorization: Bearer &lt;token&gt;</code></p><p>A token is never taken from a URL. What is not yours is answered like what does not exist: 404.</p></section>
<section class="card wide"><h2>How often</h2><dl>${used.map(
    ([name, limit]) => html`<div><dt><code>${name}</code></dt><dd>${limitSummary(limit)}</dd></div>`,
  )}</dl><p>For each address and each account, unless it says otherwise. Every reply says how much is left, in <code>RateLimit</code>. Beyond it <code>429</code> with <code>Retry-After</code>.</p></section>
</div><div class="samples">${sampleView('Every error is a problem', 'application/problem+json', jsonView(problemExample('VALIDATION_FAILED')), 'an error')}</div></div></div>`
}

function groupView({ tag, routes }: Group, index: number, { limits }: Plan, origin: string): Html {
  return html`<section class="tag" aria-labelledby="tag-${index}"><h2 id="tag-${index}">${capitalised(tag)}</h2>
${routes.map((placed) => routeView(placed, limits, origin))}</section>`
}

function resourcesView(resources: readonly ResourcePlan[]): Html {
  if (resources.length === 0) return none
  return html`<section class="more" id="rows" aria-labelledby="rows-name"><h2 id="rows-name">Whose rows are whose</h2>
<p>Every query is held to these rules, whatever its route says. The owner may do everything.</p>
<div class="rows">${resources.map(resourceView)}</div></section>`
}

function resourceView(resource: ResourcePlan): Html {
  const { name, table, owner, read, update, delete: remove, server } = resource
  const { tenant, insert, transfer, columns } = resource
  const rules: readonly (readonly [string, readonly string[]])[] = [
    ['Owner', [owner]],
    ['Read', read],
    ['Change', update],
    ['Delete', remove],
    ...(tenant === undefined ? [] : [['Tenant', [tenant]] as const]),
    ...(insert === undefined ? [] : [['Insert', insert] as const]),
    ...(transfer === undefined ? [] : [['Transfer', transfer] as const]),
    ...(columns === undefined ? [] : [['Columns', columns] as const]),
  ]
  return html`<section class="card"><h3>${name} <span>table ${table}</span></h3><dl>${rules.map(
    ([title, clauses]) =>
      html`<div><dt>${title}</dt><dd>${clauses.length === 0 ? 'nobody else' : clauses.join(', or ')}</dd></div>`,
  )}<div><dt>Server</dt><dd>${server.length === 0 ? 'no columns' : html`<code>${server.join(', ')}</code>`}</dd></div></dl></section>`
}
