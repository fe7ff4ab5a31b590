import { describe, expect, it } from 'vitest'
import { sha256 } from '../crypto/index.ts'
import type { Plan, RoutePlan } from '../route/index.ts'
import { type ReferencePage, referencePage } from './page.ts'
import { pageStyle } from './page-style.ts'

const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  `' onmouseover='alert(1)`,
  '</style><script>alert(1)</script>',
  '</code></pre><svg onload=alert(1)>',
  '`$' + '{alert(1)}`',
  'STYLE $& $` \\0 \u0000 \u202e',
  'javascript:alert(1)',
  '&lt;b&gt;',
]

function planOf(text: string): Plan {
  const schema = {
    type: 'object',
    description: text,
    properties: {
      [text]: { type: 'string', description: text, default: text, maxLength: 9 },
      choice: { enum: [text], type: 'string' },
      form: { type: 'string', pattern: text },
      format: { type: 'string', format: text },
      odd: { type: text },
      shape: {
        oneOf: [
          { type: 'object', properties: { kind: { const: text } } },
          { type: 'object', properties: { b: {} } },
        ],
      },
    },
    required: [text],
  }
  const route: RoutePlan = {
    method: 'POST',
    path: `/api/${text}/:id`,
    access: {
      kind: 'any',
      of: [
        { kind: 'owns', resource: text, action: 'read' },
        { kind: 'role', roles: [text] },
      ],
    },
    limit: text,
    status: 200,
    schemas: { query: schema, body: schema, output: schema },
    source: text,
    origin: 'application',
  }
  return {
    title: text,
    version: text,
    routes: [
      route,
      {
        ...route,
        method: text,
        path: text,
        access: { kind: 'open', reason: text },
        origin: { adopted: text },
      },
    ],
    resources: [
      { name: text, table: text, owner: text, read: [text], update: [], delete: [], server: [text] },
    ],
    limits: { [text]: { count: 3, windowSeconds: 60 } },
    roles: [text],
    settings: [],
  }
}

function pageOf(plan: Plan, origin = 'https://api.example.com'): ReferencePage {
  return referencePage(plan, { origin, sha256Base64: (text) => sha256(text).toString('base64') })
}

const start = /<([a-z0-9]+)((?:\s+[a-z-]+(?:="[^"<>]*")?)*)\s*\/?>/gi

/** What a browser would see as markup: each element with the names of its attributes. */
function markupOf({ html }: ReferencePage): ReadonlySet<string> {
  const rest = html.replace(/<style>[^<]*<\/style>/, '').replace('<!doctype html>', '')
  const starts = [...rest.matchAll(start)]
  const ends = rest.match(/<\/[a-z0-9]+>/g) ?? []
  // Every < belongs to an element that was read, so nothing hides from this reading.
  expect(rest.split('<').length - 1).toBe(starts.length + ends.length)
  return new Set(
    starts.flatMap(([, name = '', attributes = '']) => [
      name,
      ...[...attributes.matchAll(/\s([a-z-]+)(?:="[^"]*")?/gi)].map(
        ([, attribute]) => `${name}[${attribute}]`,
      ),
    ]),
  )
}

describe('the reference page', () => {
  it.each(hostile)('V1.2.1 shows %j as text, wherever it stands', (text) => {
    const page = pageOf(planOf(text), `https://${text}`)
    const known = markupOf(pageOf(planOf('/:plain*')))
    const added = [...markupOf(page)].filter((markup) => !known.has(markup))
    expect(added).toEqual([])
    expect(page.html.includes('\u202e') || page.html.includes('\u0000')).toBe(false)
    for (const [, href = ''] of page.html.matchAll(/href="([^"]*)"/g)) expect(href).toMatch(/^#[\w-]+$/)
  })

  it('V3.4.3 is sent with a policy that lets in its one style and nothing else', () => {
    const page = pageOf(planOf('plain'))
    const style = /<style>([^<]*)<\/style>/.exec(page.html)?.[1] ?? ''
    expect(page.csp).toBe(
      `default-src 'none'; style-src 'sha256-${sha256(style).toString('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
  })

  it('loads nothing from anywhere', () => {
    const page = pageOf(planOf('plain'))
    expect(page.html).not.toMatch(/\ssrc=|@import|url\(|<link|<script/i)
    const links = [...page.html.matchAll(/href="([^"]*)"/g)].map(([, href = '']) => href)
    expect(links.filter((href) => !/^#[\w-]+$/.test(href))).toEqual([])
  })

  it('has links that all lead to a place of the page, and no id twice', () => {
    const { html } = pageOf(planOf('plain'))
    const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id = '']) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, target = ''] of html.matchAll(/(?:href="#|aria-labelledby=")([^"]*)"/g))
      expect(ids).toContain(target)
  })

  it('can be found one’s way in by landmarks, headings and keyboard', () => {
    const { html } = pageOf(planOf('plain'))
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/)
    expect(html.match(/<main /g)).toHaveLength(1)
    expect(html.match(/<h1>/g)).toHaveLength(1)
    expect(html).toContain('<a class="skip" href="#content">')
    const levels = [...html.matchAll(/<h([1-6])[ >]/g)].map(([, level]) => Number(level))
    for (const [index, level] of levels.entries())
      expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1)
    expect(html.match(/<pre(?! tabindex="0" role="group" aria-label="[^"]+")/g)).toBeNull()
  })

  it('says of each route who may call it, how often, what it takes and gives, and how to try it', () => {
    const plan = planOf('note')
    const { html } = pageOf(plan)
    const text = html
      .replaceAll(/<[^>]*>/g, '')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
    for (const words of [
      'Whoever may read the note, or anyone with the role note',
      '3 per minute, for each address and each account',
      'at most 9 characters · default "note"',
      'problems it can answer',
      'curl -X POST \'https://api.example.com/api/note/:id?note=note\' \\\n  -H "Authorization: Bearer $TOKEN"',
    ])
      expect(text).toContain(words)
  })
})

function luminanceOf(colour: string): number {
  const channels = [1, 3, 5].map((from) => {
    const share = Number.parseInt(colour.slice(from, from + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * (channels[0] ?? 0) + 0.7152 * (channels[1] ?? 0) + 0.0722 * (channels[2] ?? 0)
}

describe('the colours of the page', () => {
  const [light = '', dark = ''] = [...pageStyle.matchAll(/:root \{([^}]*)\}/g)].map(([, block]) => block)
  const read = (block: string): [string, string][] =>
    [...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6})/g)].map(([, name = '', colour = '']) => [name, colour])
  const themes: [string, ReadonlyMap<string, string>][] = [
    ['light', new Map(read(light))],
    ['dark', new Map([...read(light), ...read(dark)])],
  ]
  const pairs = [
    ...['ground', 'side', 'raised', 'soft'].flatMap((ground) => [`text/${ground}`, `muted/${ground}`]),
    ...['ground', 'side', 'accent-soft'].map((ground) => `accent/${ground}`),
    ...['get', 'post', 'put', 'patch', 'delete'].flatMap((verb) => [`${verb}/${verb}-soft`, `${verb}/side`]),
    ...['code-text', 'code-muted', 'key', 'string', 'value'].flatMap((ink) => [
      `${ink}/code`,
      `${ink}/code-head`,
    ]),
    'delete/ground',
    'warn/warn-soft',
    'ground/accent',
  ]

  it.each(themes)('have the contrast of WCAG AA in the %s theme', (_, colours) => {
    for (const pair of pairs) {
      const [ink = 0, ground = 0] = pair.split('/').map((name) => luminanceOf(colours.get(name) ?? ''))
      const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05)
      expect(contrast, pair).toBeGreaterThanOrEqual(4.5)
    }
  })
})

it('says where a request may be sent again', () => {
  const plan = planOf('x')
  const pageOf = (idempotency: 'optional' | 'required' | undefined) =>
    JSON.stringify(
      referencePage(
        {
          ...plan,
          routes: plan.routes.map((route) => ({
            ...route,
            ...(idempotency === undefined ? {} : { idempotency }),
          })),
        },
        { origin: 'http://127.0.0.1', sha256Base64: () => '' },
      ),
    )
  expect(pageOf(undefined)).not.toContain('Idempotency-Key')
  expect(pageOf('optional')).toContain('Idempotency-Key')
  expect(pageOf('required')).toContain('which is required')
})
