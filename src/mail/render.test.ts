import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Letter } from './letter.ts'
import { render } from './render.ts'
import { ipAddress, oneLine, plainWords, when } from './words.ts'

const origin = 'https://notes.example.com'
const options = { siteName: 'Notes', origin }
const at = '2026-11-21T07:05:09.123Z'
const link = `${origin}/account/verify-email#token=abc_DEF-123`
const page = `${origin}/account/forgot-password`
const to = 'ann@example.com'

const letters: readonly Letter[] = [
  { to, template: 'verify-email', values: { link, minutes: 60 } },
  { to, template: 'already-registered', values: { signIn: `${origin}/account/sign-in`, reset: page } },
  { to, template: 'reset-password', values: { link, minutes: 30 } },
  { to, template: 'password-changed', values: { at, link: page } },
  { to, template: 'confirm-new-email', values: { link, minutes: 60 } },
  { to, template: 'email-changed', values: { at } },
  {
    to,
    template: 'new-device',
    values: { at, device: 'Firefox on Linux', address: '203.0.113.9', link: page },
  },
  { to, template: 'sign-in-disabled', values: { link: page } },
  { to, template: 'roles-changed', values: { at, roles: ['editor', 'admin'] } },
  { to, template: 'account-deleted', values: { at } },
  {
    to,
    template: 'alert',
    values: { subject: 'Password spraying', lines: ['from 203.0.113.9', 'GET /api/a/:id'] },
  },
]

/** The addresses that a browser would follow from this HTML. */
function hrefsOf(html: string): readonly string[] {
  return [...html.matchAll(/href="([^"]*)"/g)].map(([, href = '']) => href.replaceAll('&amp;', '&'))
}

function newDevice(device: string, address = '203.0.113.9'): Letter {
  return { to, template: 'new-device', values: { at, device, address, link: page } }
}

describe('letters', () => {
  it.each(letters)(
    '$template says the same as text and as HTML, and has no other links than its own',
    (letter) => {
      const { subject, text, html, links } = render(letter, options)
      expect(subject).toContain('Notes')
      expect(text.endsWith('\n\n-- \nNotes\n')).toBe(true)
      for (const one of links) expect(text).toContain(`\n${one}\n`)
      expect(new Set(hrefsOf(html))).toEqual(new Set(links))
      expect(html).toContain(`<title>${subject}</title>`)
      const words = text.split('\n').filter((line) => line !== '' && !line.startsWith('-- '))
      const shown = html.replace(/<[^>]+>/g, '')
      for (const line of words) expect(shown).toContain(line.replace(/:$/, ''))
    },
  )

  const toPeople = letters.filter(({ template }) => template !== 'alert')

  it.each(toPeople)('V6.3.7 $template says what to do if it was not you', (letter) => {
    expect(render(letter, options).text).toMatch(/not you|was you|not me|did not expect/)
  })

  it('bring nothing along that is loaded when they are opened', () => {
    for (const letter of letters)
      expect(render(letter, options).html).not.toMatch(
        /<img|<script|<link|<iframe|<object|@import|url\(|src=/i,
      )
  })

  it('name times, devices, addresses and roles as people read them', () => {
    expect(render(newDevice('Firefox on Linux'), options).text).toContain(
      'Firefox on Linux signed in to your account at Notes at 2026-11-21 07:05 UTC, from the address 203.0.113.9.',
    )
    expect(render(newDevice('', 'evil.example'), options).text).toContain(
      'An unknown device signed in to your account at Notes at 2026-11-21 07:05 UTC, from an unknown address.',
    )
    const roles = (given: readonly string[]): string =>
      render({ to, template: 'roles-changed', values: { at, roles: given } }, options).text
    expect(roles([])).toContain('has no roles.')
    expect(roles(['editor', 'admin'])).toContain('has these roles: editor, admin.')
    expect(roles(Array.from({ length: 30 }, (_, index) => `r${index}`))).toContain('r19, and more.')
  })
})

describe('links of letters', () => {
  it.each([
    'https://evil.example/account/verify-email#token=abc',
    'http://notes.example.com/account/verify-email#token=abc',
    'https://notes.example.com.evil.example/#token=abc',
    'https://notes.example.com@evil.example/#token=abc',
    'https://notes.example.com:8443/#token=abc',
    'https://notes.example.com',
    '//evil.example/#token=abc',
    'javascript:alert(1)',
    '',
    `${origin}/a b`,
    `${origin}/"onmouseover="alert(1)`,
    `${origin}/\nhttps://evil.example/`,
    `${origin}/\\evil.example`,
  ])('V1.2.2 %j is refused: it does not lead to the public origin', (bad) => {
    for (const template of ['verify-email', 'reset-password', 'confirm-new-email'] as const)
      expect(() => render({ to, template, values: { link: bad, minutes: 60 } }, options)).toThrow(
        'public origin',
      )
    const values = { signIn: `${origin}/account/sign-in`, reset: bad }
    expect(() => render({ to, template: 'already-registered', values }, options)).toThrow('public origin')
  })

  it('V14.2.1 hold the token in the fragment, which is sent to nobody', () => {
    for (const letter of letters)
      for (const one of render(letter, options).links) {
        const { search, pathname } = new URL(one)
        expect([search, pathname.includes('token')]).toEqual(['', false])
      }
  })
})

describe('words from outside', () => {
  const hostile = [
    'Click http://evil.example/login now',
    'evil.example',
    'www.evil.example',
    'mail me@evil.example',
    '<img src=x onerror=alert(1)>',
    '</title><script>alert(1)</script>',
    '"><a href="https://evil.example">here</a>',
    '&lt;b&gt;',
    'a\r\nBcc: victim@example.com\r\n\r\nText',
    'a\u2028b\u2029c\u0085d',
    '\u202egnp.exe\u202c',
    '\u0000\u0007\u001b[31mred',
    'javascript:alert(1)',
    'x'.repeat(5_000),
  ]

  it.each(hostile)('V1.2.1 %j make neither markup nor a link nor another line', (words) => {
    const calm = render(newDevice('Firefox'), options)
    const mail = render(newDevice(words), options)
    expect(mail.links).toEqual(calm.links)
    expect(hrefsOf(mail.html)).toEqual(hrefsOf(calm.html))
    // The same tags, in the same order, with the same attributes.
    expect(mail.html.match(/<[^>]*>/g)).toEqual(calm.html.match(/<[^>]*>/g))
    expect(mail.text.split('\n').length).toBe(calm.text.split('\n').length)
    expect(mail.subject).toBe(calm.subject)
    const outside = mail.text.replaceAll(page, '')
    expect(outside).not.toMatch(/:\/\/|www\.|\w\.example|@|javascript:/)
    expect(outside).not.toMatch(/[^\P{C}\n]/u)
    expect(mail.text.length).toBeLessThan(calm.text.length + 80)
  })

  it('V1.2.1 whatever they are, make no link and no line', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.integer({ min: 1, max: 60 }),
        (text, maxChars) => {
          const words = plainWords(text, maxChars)
          expect(words).not.toMatch(/[.:/@<>&"'\n\r]|\p{C}/u)
          expect([...words].length).toBeLessThanOrEqual(maxChars)
        },
      ),
    )
  })

  it('V1.2.1 as the name of the site are escaped, and in the subject one line', () => {
    const siteName = '<b>Ann & "Bob"</b>\r\nBcc: victim@example.com'
    for (const letter of letters) {
      const { subject, html } = render(letter, { siteName, origin })
      expect(subject).not.toMatch(/[\r\n]/)
      expect(html).not.toContain('<b>')
      expect(html).toContain('&lt;b&gt;Ann &amp; &quot;Bob&quot;&lt;/b&gt; Bcc: victim@example.com')
    }
  })

  it('are put right one by one', () => {
    expect(oneLine(' a\r\n\tb\u2028c ')).toBe('a b c')
    expect(plainWords('Jürgen-2_x (Tablet)', 60)).toBe('Jürgen-2_x Tablet')
    expect([ipAddress('2001:db8::1'), ipAddress('1.2.3.4<b>')]).toEqual([
      'the address 2001:db8::1',
      'an unknown address',
    ])
    expect(when('2026-11-21T09:05:00+02:00')).toBe('2026-11-21 07:05 UTC')
    expect(() => when('<b>soon</b>')).toThrow('a time in a mail is a time')
  })

  it('V1.2.1 an alert says no more than lines, whatever has got into it', () => {
    const hostile = 'GET /a\r\nBcc: x@evil.example\u202e http://evil.example/<a href="//evil.example">x</a>'
    const values = { subject: hostile, lines: [hostile, ...Array.from({ length: 99 }, () => 'more')] }
    const { subject, text, html, links } = render({ to, template: 'alert', values }, options)
    expect(subject).not.toMatch(/[\r\n\u202e]/)
    expect([links, hrefsOf(html)]).toEqual([[], []])
    expect(`${text}${html}`).not.toMatch(/:\/\/evil|@evil/)
    expect(text.split('\n').filter((line) => line === 'more').length).toBeLessThan(40)
  })
})
