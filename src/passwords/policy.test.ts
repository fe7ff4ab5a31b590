import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { sha1Hex } from '../crypto/index.ts'
import { isBreached } from './breached.ts'
import { commonCounts, isCommon } from './common.ts'
import { isPattern } from './expected.ts'
import { maximumChars, normalizePassword, passwordPolicy } from './policy.ts'

const policy = passwordPolicy({ siteNames: ['Notes Online', 'notes.example.com'] })
const ann = { email: 'ann.oneil@example.com', name: 'Ann O’Neil' }

async function reasonFor(password: string, owner = ann): Promise<string | null> {
  return (await policy.check(normalizePassword(password), owner))?.reason ?? null
}

describe('the policy for passwords', () => {
  it('V6.2.1 asks for fifteen characters, and eight beside a second factor', async () => {
    expect(await reasonFor('violet hum so1')).toBe('too-short')
    expect(await reasonFor('violet hum so12')).toBeNull()
    const withFactor = { ...ann, hasSecondFactor: true }
    expect(await reasonFor('viol3t!', withFactor)).toBe('too-short')
    expect(await reasonFor('viol3t!x', withFactor)).toBeNull()
  })

  it('V6.2.1 V6.2.8 counts what a person calls a character, and the same for both ways to write it', async () => {
    expect(await reasonFor('🦊🐺🦝🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧')).toBe('too-short')
    expect(await reasonFor('🦊🐺🦝🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦')).toBeNull()
    expect(normalizePassword('Zoe\u0308')).toBe('Zo\u00eb')
    for (const kept of [' a ', 'A\tb', '\u0000', 'ﬁ']) expect(normalizePassword(kept)).toBe(kept)
  })

  it('V6.2.9 takes very long ones whole, and refuses what is longer instead of cutting it', async () => {
    const words = 'seven quiet herons wade through amber reeds '
    const long = words.repeat(6).slice(0, maximumChars)
    expect([...long]).toHaveLength(maximumChars)
    expect(maximumChars).toBeGreaterThanOrEqual(128)
    expect(await reasonFor(long)).toBeNull()
    expect(await reasonFor(`${long}x`)).toBe('too-long')
  })

  it('V6.2.5 asks for no kinds of characters', async () => {
    for (const password of [
      'violet anchors hum',
      'VIOLETANCHORSHUM',
      '8140937265512084',
      '~~violet~~hum~~~',
      'фиолетовые якоря',
      '紫色の錨が静かにハミングする夜',
    ])
      expect(await reasonFor(password), password).toBeNull()
  })

  it('V6.2.4 refuses the common ones of any length that reaches the rule, and says why', async () => {
    const { count, longCount } = await commonCounts()
    expect(longCount).toBeGreaterThanOrEqual(3_000)
    expect(count - longCount).toBe(10_000)
    const common = [
      'passwordpassword',
      'PasswordPassword',
      '1qaz2wsx3edc4rfv',
      'momsanaladventure',
      'qwerty123456789',
    ]
    for (const password of common) expect(await reasonFor(password), password).toBe('common')
    const fault = await policy.check('passwordpassword', ann)
    expect(fault?.message).toMatch(/tried first.*words/)
    expect(fault?.message).not.toContain('passwordpassword')
    const withFactor = { ...ann, hasSecondFactor: true }
    for (const password of ['password', 'iloveyou', 'Football', 'princess1'])
      expect(await reasonFor(password, withFactor), password).toBe('common')
  })

  it('V6.2.4 finds every line of its list, and nothing between them', async () => {
    for (const password of ['00000000', 'zzzzzzzz', 'password', 'trustno1', 'zxcvbnm123'])
      expect(await isCommon(password), password).toBe(true)
    for (const password of [
      '',
      'passwor',
      'passwordx!',
      'violet anchors hum softly',
      '\uffff',
      '!',
      '~~~~~~~~~',
    ])
      expect(await isCommon(password), password).toBe(false)
  })

  it('V6.2.4 refuses patterns', () => {
    for (const pattern of [
      'aaaaaaaaaaaaaaa',
      'abababababababab',
      'abcabcabcabcabcabc',
      '123412341234123',
      'abcdefghijklmno',
      '456789012345678',
      'zyxwvutsrqponml',
      '987654321098765',
    ])
      expect(isPattern(pattern), pattern).toBe(true)
    for (const fine of ['violet anchors hum', '8140937265512084', 'abcdefghijklmnq'])
      expect(isPattern(fine), fine).toBe(false)
  })

  const expected = [
    'ann.oneil@example.com',
    'ANN.ONEIL@EXAMPLE.COM',
    'Ann O’Neil Ann O’Neil',
    'annoneilannoneil',
    'lienonna1234567',
    'Ann-O-Neil-2026!!',
    '2026annoneil2026',
    'notesonline2026!',
    'Notes Online Notes',
    'notes.example.com',
    'annnotesonline1',
    'example.com example',
  ]
  for (const password of expected) {
    it(`V6.2.11 refuses what somebody who knows the person would try: ${password}`, async () => {
      expect(await reasonFor(password)).toBe('expected')
    })
  }

  it('V6.2.11 compares the whole: a long one may hold a name', async () => {
    for (const password of [
      'ann hums violet anchors',
      'the notes that herons wade in',
      'oneil wades at seven',
    ])
      expect(await reasonFor(password), password).toBeNull()
    expect(await reasonFor('violet anchors hum', { email: 'a@b.co', name: '' })).toBeNull()
  })

  it('V16.5.3 answers about any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), async (text) => {
        const fault = await policy.check(normalizePassword(text), ann)
        expect(fault === null || fault.message.length > 10).toBe(true)
      }),
    )
  })
})

describe('breached passwords', () => {
  const stolen = 'violet anchors hum softly'
  const digest = sha1Hex(stolen).toUpperCase()
  let server: Server | undefined
  afterEach(
    () => new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve()))),
  )

  async function service(
    answer: (path: string) => { status: number; text: string } | null,
  ): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = []
    server = createServer((request, reply) => {
      asked.push(`${request.url} ${request.headers['add-padding']}`)
      const given = answer(request.url ?? '')
      if (given !== null) reply.writeHead(given.status).end(given.text)
    })
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', () => resolve()))
    const bound = server.address()
    return { url: `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}/range/`, asked }
  }

  it('V6.2.12 are known by a service that learns five digits of their digest', async () => {
    const lines = `${'0'.repeat(35)}:5\r\n${digest.slice(5)}:37\r\n${'F'.repeat(35)}:0`
    const { url, asked } = await service(() => ({ status: 200, text: lines }))
    expect(await isBreached(stolen, { kind: 'service', url })).toBe(true)
    expect(await isBreached(`${stolen}!`, { kind: 'service', url })).toBe(false)
    expect(asked[0]).toBe(`/range/${digest.slice(0, 5)} true`)
    const whole = passwordPolicy({ siteNames: [], breached: { kind: 'service', url } })
    expect((await whole.check(stolen, ann))?.reason).toBe('breached')
  })

  it('V6.2.12 padding with the count 0 is no breach', async () => {
    const { url } = await service(() => ({ status: 200, text: `${digest.slice(5)}:0` }))
    expect(await isBreached(stolen, { kind: 'service', url })).toBe(false)
  })

  it('V16.5.2 a service that fails, is silent or sends elsewhere: taken or refused, as it was chosen', async () => {
    for (const answer of [
      () => ({ status: 500, text: '' }),
      () => null,
      () => ({ status: 200, text: 'x'.repeat(1_000_001) }),
    ]) {
      const { url } = await service(answer)
      const source = { kind: 'service', url, timeoutMs: 100 } as const
      expect(await isBreached(stolen, source)).toBe(false)
      await expect(isBreached(stolen, { ...source, onFailure: 'refuse' })).rejects.toThrow()
      server?.closeAllConnections()
    }
  })

  it('V6.2.12 are found in a sorted file without reading it whole', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-breached-'))
    const passwords = Array.from({ length: 2_000 }, (_, index) => `password number ${index}`)
    const lines = passwords.map((one, index) => `${sha1Hex(one).toUpperCase()}:${index}`).sort()
    for (const [name, text] of [
      ['unix.txt', lines.join('\n')],
      ['windows.txt', `${lines.join('\r\n')}\r\n`],
      ['empty.txt', ''],
      ['one.txt', lines[0] ?? ''],
    ] as const)
      writeFileSync(join(folder, name), text)
    for (const name of ['unix.txt', 'windows.txt']) {
      const source = { kind: 'file', path: join(folder, name) } as const
      for (const password of passwords) expect(await isBreached(password, source)).toBe(true)
      for (const password of passwords) expect(await isBreached(`${password}!`, source)).toBe(false)
    }
    expect(await isBreached(stolen, { kind: 'file', path: join(folder, 'empty.txt') })).toBe(false)
    expect(await isBreached(stolen, { kind: 'file', path: join(folder, 'one.txt') })).toBe(false)
    await expect(isBreached(stolen, { kind: 'file', path: join(folder, 'missing.txt') })).rejects.toThrow()
    rmSync(folder, { recursive: true })
  })
})
