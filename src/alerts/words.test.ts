import { describe, expect, it } from 'vitest'
import { oneLine, plainSentence, plainWords, shownAddress, shownId, shownRoute } from './words.ts'

describe('words of alerts', () => {
  it.each([
    ['line breaks', 'one\r\ntwo\u2028three', 'one two three'],
    ['colours of a terminal', '\u001b[31mred', '[31mred'],
    ['text that is turned round', 'user\u202etxt.exe', 'user txt.exe'],
    ['half a character', 'a\ud800b', 'a b'],
  ])('V16.4.1 oneLine takes out %s', (_what, text, line) => {
    expect(oneLine(text, 100)).toBe(line)
  })

  it('V16.4.1 oneLine has an end', () => {
    expect(oneLine('x'.repeat(50), 10)).toBe('xxxxxxxxx…')
  })

  it('V1.2.1 plainWords leaves nothing that a link or a mention is made of', () => {
    expect(plainWords('<!channel> @here [x](http://evil.example) `a`', 100)).toBe(
      'channel here x http evil example a',
    )
  })

  it('V1.2.1 plainSentence keeps sentences and addresses, and nothing else', () => {
    const sentence = '53 accounts from 203.0.113.9 (2001:db8::/64), 50% of them new; others: none.'
    expect(plainSentence(sentence, 500)).toBe(sentence)
    expect(plainSentence('go to evil.example now. <@U1> //x', 500)).toBe('go to evil example now. U1 x')
  })

  it('V1.2.1 shows addresses, ids and routes only as such', () => {
    expect(['203.0.113.9', '2001:db8::1', '203.0.113.0/24', 'evil.example'].map(shownAddress)).toEqual([
      ...['203.0.113.9', '2001:db8::1', '203.0.113.0/24', 'no address'],
    ])
    expect(['0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e4f', 'a@b.c'].map(shownId)).toEqual([
      ...['0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e4f', 'a b c'],
    ])
    expect(['GET /api/notes/:id', 'GET http://evil.example', '<!here>'].map(shownRoute)).toEqual([
      ...['GET /api/notes/:id', 'GET http evil example', 'here'],
    ])
  })
})
