import { type Html, html, none } from '../base/index.ts'
import { CATALOGUE } from '../errors/index.ts'
import type { Plan, RoutePlan } from '../route/index.ts'
import type { JsonSchema } from '../schema/index.ts'
import { curlOf } from './curl.ts'
import { exampleOf } from './example.ts'
import { type Field, fieldsOf } from './fields.ts'
import { jsonView } from './json-view.ts'
import { templateOf } from './naming.ts'
import { capitalised, costText, limitText, openReason, whoText } from './phrases.ts'
import { alternativesOf, problemsOf } from './problems-of.ts'

/** A route and where it stands on the page. */
export interface PlacedRoute {
  readonly route: RoutePlan
  /** The operation id; also the fragment that links to it. */
  readonly id: string
}

/** One route of the reference page. */
export function routeView({ route, id }: PlacedRoute, limits: Plan['limits'], origin: string): Html {
  const { params, query, body, output } = route.schemas
  return html`<article class="route" id="${id}" aria-labelledby="${id}-name">
<h3 id="${id}-name">${methodBadge(route.method)} ${pathView(route.path)}
<a class="anchor" href="#${id}" aria-label="Link to ${route.method} ${route.path}">#</a></h3>
<div class="columns"><div>
${factsView(route, limits)}
${params === undefined ? none : partView('Path', 'parameters', params, inputMark)}
${query === undefined ? none : partView('Query', 'parameters', query, inputMark)}
${body === undefined ? none : partView('Body', 'application/json', body, inputMark)}
${output === undefined ? none : partView('Response', `${route.status}, application/json`, output, outputMark)}
${refusalsView(route)}
</div><div class="samples">
${sampleView('Request', 'curl', html`${curlOf(route, origin)}`, `${route.method} ${route.path}`)}
${answerView(route, output)}
</div></div></article>`
}

/** The method in its colour, for the list of links. */
export function methodMark(method: string): Html {
  return html`<span class="verb ${colourOf(method)}">${method === 'DELETE' ? 'DEL' : method}</span>`
}

function methodBadge(method: string): Html {
  return html`<span class="badge ${colourOf(method)}">${method}</span>`
}

function colourOf(method: string): string {
  return /^[A-Z]+$/.test(method) ? method.toLowerCase() : ''
}

/** A path that may break at its slashes, with its parameters marked. */
export function pathView(path: string): Html {
  const pieces = templateOf(path).path.split(/(\/|\{[^}]*\})/)
  return html`<code>${pieces.map((piece, index) => {
    if (piece === '/') return index <= 1 ? html`/` : html`<wbr>/`
    return piece.startsWith('{') ? html`<b>${piece}</b>` : html`${piece}`
  })}</code>`
}

function factsView(route: RoutePlan, limits: Plan['limits']): Html {
  const limit = Object.hasOwn(limits, route.limit) ? limits[route.limit] : undefined
  const cost = costText(route.cost)
  const often =
    limit === undefined ? '' : `${limitText(limit, route.access)}${cost === undefined ? '' : `; ${cost}`}`
  const reason = openReason(route.access)
  const isRowRule = alternativesOf(route.access).some(({ kind }) => kind === 'owns')
  const rules = isRowRule ? html` <a class="note" href="#rows">row rules</a>` : none
  const who = reason === undefined ? html`${capitalised(whoText(route.access))}${rules}` : openView(reason)
  return html`<dl class="facts">
<div><dt>Who</dt><dd>${who}</dd></div>
<div><dt>Limit</dt><dd>${often} <span class="note">class <code>${route.limit}</code></span></dd></div>
${idempotencyView(route)}${typeof route.origin === 'object' ? html`<div><dt>Plugin</dt><dd>${route.origin.adopted}</dd></div>` : none}
</dl>`
}

function idempotencyView({ idempotency }: RoutePlan): Html {
  if (idempotency === undefined) return none
  return html`<div><dt>Again</dt><dd>with an <code>Idempotency-Key</code>${idempotency === 'required' ? ', which is required,' : ''} a request that is sent again gets its first reply</dd></div>
`
}

function openView(reason: string): Html {
  return html`<span class="open">Open</span>${reason}`
}

type Mark = (isRequired: boolean) => Html

const inputMark: Mark = (isRequired) =>
  isRequired ? html`<span class="must">required</span>` : html`<span class="may">optional</span>`

// What is always there needs no word.
const outputMark: Mark = (isRequired) => (isRequired ? none : html`<span class="may">may be absent</span>`)

function partView(title: string, kind: string, schema: JsonSchema, mark: Mark): Html {
  const { description } = schema
  return html`<section class="part"><h4>${title} <span>${kind}</span></h4>
${typeof description === 'string' ? html`<p class="note">${description}</p>` : none}
<ul class="fields" role="list">${fieldsOf(schema).map((field) => fieldView(field, mark))}</ul></section>`
}

function fieldView(
  { name, depthCount, type, bounds, isRequired, description, isHeading }: Field,
  mark: Mark,
): Html {
  const level = depthCount === 0 ? '' : ` d${Math.min(depthCount, 5)}`
  if (isHeading) return html`<li class="choice${level}">${type}</li>`
  return html`<li class="field${level}"><div class="line">
${name === '' ? none : html`<code class="name">${name}</code>`}
<span class="type">${type}</span>
${name === '' ? none : mark(isRequired)}
</div>${bounds.length === 0 ? none : html`<div class="bounds">${bounds.join(' · ')}</div>`}
${description === '' ? none : html`<div class="text">${description}</div>`}</li>`
}

function refusalsView(route: RoutePlan): Html {
  const codes = problemsOf(route)
  return html`<details class="part"><summary>${codes.length} problems it can answer</summary>
<dl class="refusals">${codes.map(
    (code) =>
      html`<div><dt>${CATALOGUE[code].status}</dt><dd>${CATALOGUE[code].title} <code>${code}</code></dd></div>`,
  )}</dl></details>`
}

function answerView(route: RoutePlan, output: JsonSchema | undefined): Html {
  const place = `the answer of ${route.method} ${route.path}`
  if (output !== undefined)
    return sampleView('Response', String(route.status), jsonView(exampleOf(output)), place)
  return typeof route.origin === 'string' && route.status === 204
    ? sampleView('Response', '204', html`No content`, place)
    : none
}

/** A figure with code in it. It scrolls, so it can be reached and named (WCAG 2.1.1). */
export function sampleView(title: string, kind: string, code: Html, place: string): Html {
  return html`<figure class="sample"><figcaption><b>${title}</b><span>${kind}</span></figcaption><pre tabindex="0" role="group" aria-label="${title}: ${place}"><code>${code}</code></pre></figure>`
}
