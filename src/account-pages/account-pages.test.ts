import { describe, expect, it } from 'vitest'
import { accountPages } from './index.ts'
import { scriptNames, scriptText } from './script.ts'
import { style } from './style.ts'

const options = { siteName: 'Harbour Notes', minimumPasswordChars: 15 }
const all = accountPages(options)
const pages = all.filter(({ contentType }) => contentType.startsWith('text/html'))
const scripts = scriptNames.map((name) => ({ name, text: scriptText(name) }))

describe('the account pages', () => {
  it('are at their addresses, with their files', () => {
    expect(all.map(({ path }) => path)).toEqual([
      '/account',
      '/account/sign-in',
      '/account/register',
      '/account/forgot-password',
      '/account/verify-email',
      '/account/reset-password',
      '/account/change-email',
      '/account/setup',
      '/account/app.css',
      ...scriptNames.map((name) => `/account/${name}`),
    ])
  })

  it('V3.4.3 V3.4.6 take nothing from elsewhere, run nothing inline, and stand in no frame', () => {
    for (const { csp } of all)
      for (const directive of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"])
        expect(csp.split('; ')).toContain(directive)
    for (const { content, csp } of pages) {
      expect(csp).not.toMatch(/unsafe|\*|https?:|nonce|sha256/)
      expect(csp.split('; ')).toEqual(
        expect.arrayContaining([
          "object-src 'none'",
          "form-action 'none'",
          "require-trusted-types-for 'script'",
        ]),
      )
      // Nothing inline: no text in a script element, no style element or attribute, no handler attribute.
      expect(content).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|="\s*javascript:/i)
      const loaded = [...content.matchAll(/<(?:script|link|img|iframe)\b[^>]*\s(?:src|href)="([^"]*)"/g)]
      const known = new Set(all.map(({ path }) => path))
      for (const [, address = ''] of loaded)
        expect(known.has(address) || address.startsWith('data:image/svg+xml,')).toBe(true)
    }
  })

  it('V1.2.1 show the name of the site as text, whatever it is', () => {
    const hostile = `</title><script>alert(1)</script>"'\`><img src=x onerror=alert(1)>`
    for (const { content, contentType } of accountPages({ ...options, siteName: hostile })) {
      if (!contentType.startsWith('text/html')) continue
      expect(content).not.toContain('<script>alert')
      expect(content).not.toContain('<img')
    }
  })

  it('V3.7.2 refuse to be told of a place on another host', () => {
    for (const path of ['//evil.example', '/\\evil.example', 'https://evil.example', '/\tx', 'docs', ''])
      expect(() => accountPages({ ...options, returnPaths: [path] })).toThrow('one of this origin')
    expect(accountPages({ ...options, returnPaths: ['/docs'] })[1]?.content).toContain(
      'data-return-paths="/account /docs"',
    )
  })

  it('V6.2.6 V6.2.7 V6.2.9 mask passwords, cut none, and say to managers which is which', () => {
    const inputs = pages.flatMap(({ content }) => content.match(/<input[^>]*>/g) ?? [])
    const passwords = inputs.filter((input) => /name="\w*password"/i.test(input))
    expect(passwords).toHaveLength(8)
    for (const input of passwords) {
      expect(input).toContain('type="password"')
      expect(input).toMatch(/autocomplete="(current|new)-password"/)
    }
    expect(inputs.join('')).not.toMatch(/maxlength|onpaste|autocomplete="off"|pattern=/)
  })

  it('V14.2.1 have no form that a browser could send by itself into an address', () => {
    for (const { content } of pages) {
      for (const form of content.match(/<form[^>]*>/g) ?? []) {
        expect(form).toContain('method="post"')
        expect(form).not.toContain('action=')
      }
      for (const button of content.match(/<button[^>]*type="submit"[^>]*>/g) ?? [])
        expect(button).toMatch(/\sdisabled>/)
    }
  })

  it('have a label for every field and no id twice', () => {
    for (const { content } of pages) {
      const ids = [...content.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)
      expect(new Set(ids).size).toBe(ids.length)
      for (const [, id] of content.matchAll(/<input id="([^"]+)"/g))
        expect(labelled(content), id).toContain(id)
      for (const [, described = ''] of content.matchAll(
        /aria-(?:describedby|controls|labelledby)="([^"]+)"/g,
      ))
        for (const id of described.split(' ')) expect(ids).toContain(id)
    }
  })
})

describe('the scripts of the account pages', () => {
  it('V1.3.2 V3.2.2 never turn text into markup or code', () => {
    const sinks =
      /innerHTML|outerHTML|insertAdjacentHTML|setHTML|document\.write|DOMParser|createContextualFragment|\beval\b|\bFunction\(|srcdoc|javascript:|createPolicy|set(?:Timeout|Interval)\(\s*['"`]/
    for (const { name, text } of scripts) expect(sinks.exec(text)?.[0], name).toBeUndefined()
  })

  it('V14.3.3 keep nothing that somebody typed, and write nothing to the console', () => {
    for (const { name, text } of scripts) {
      expect(text, name).not.toMatch(/localStorage|indexedDB|document\.cookie|\bcaches\b|console\./)
      if (name !== 'notes.js' && name !== 'page.js') expect(text, name).not.toContain('sessionStorage')
    }
  })

  it('import one another and nothing else', () => {
    for (const { name, text } of scripts)
      for (const [, specifier = ''] of text.matchAll(/^import .* from '([^']+)'/gm))
        expect(
          scriptNames.map((known) => `./${known}`),
          name,
        ).toContain(specifier)
    for (const { text } of scripts) expect(text).not.toContain('sourceMappingURL')
  })
})

describe('the colours of the account pages', () => {
  const [light = '', dark = ''] = [...style.matchAll(/:root \{([^}]*)\}/g)].map(([, block]) => block)
  const themes = { light: colours(light), dark: { ...colours(light), ...colours(dark) } }
  const pairs: readonly (readonly [text: string, ground: string, least: number])[] = [
    ['text', 'ground', 4.5],
    ['text', 'paper', 4.5],
    ['text', 'accent-soft', 4.5],
    ['muted', 'ground', 4.5],
    ['muted', 'paper', 4.5],
    ['muted', 'soft', 4.5],
    ['accent', 'ground', 4.5],
    ['accent', 'paper', 4.5],
    ['accent', 'accent-soft', 4.5],
    ['accent-strong', 'ground', 4.5],
    ['on-accent', 'accent', 4.5],
    ['on-accent', 'accent-strong', 4.5],
    ['bad', 'ground', 4.5],
    ['bad', 'paper', 4.5],
    ['bad', 'bad-soft', 4.5],
    ['paper', 'bad', 4.5],
    ['panel-text', 'panel', 4.5],
    ['panel-muted', 'panel', 4.5],
    ['panel-muted', 'panel-end', 4.5],
    // The edges of fields are no text: 3 to 1 (WCAG 2.2 §1.4.11).
    ['field-line', 'ground', 3],
    ['field-line', 'paper', 3],
  ]
  for (const [theme, known] of Object.entries(themes))
    it(`are told apart in the ${theme} theme (WCAG 2.2 §1.4.3)`, () => {
      const weak = pairs.flatMap(([text, ground, least]) => {
        const found = contrast(known[text] ?? '', known[ground] ?? '')
        return found < least ? [`${text} on ${ground}: ${found.toFixed(2)}, not ${least}`] : []
      })
      expect(weak).toEqual([])
    })
})

function labelled(content: string): readonly string[] {
  return [...content.matchAll(/<label[^>]* for="([^"]+)"/g)].map(([, id]) => String(id))
}

function colours(block: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [
      String(name),
      String(value),
    ]),
  )
}

function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (lighter + 0.05) / (darker + 0.05)
}

/** @see WCAG 2.2, relative luminance */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
