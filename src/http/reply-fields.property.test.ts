import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { securityHeaders, tellingHeaders } from './headers.ts'
import { dress, hardenedReplies } from './response.ts'

const ownFields = { ratelimit: '"a";r=1', etag: '"1"' }

/** What a hardened reply has to look like: one on which every field was set by itself. */
class Model extends ServerResponse {
  constructor() {
    super(new IncomingMessage(new Socket()))
    this.begin()
  }

  begin(): void {
    for (const name of this.getHeaderNames()) this.removeHeader(name)
    dress(this, false)
  }

  override setHeader(name: string, value: number | string | readonly string[]): this {
    return tellingHeaders.has(name.toLowerCase()) ? this : super.setHeader(name, value)
  }

  override appendHeader(name: string, value: string | readonly string[]): this {
    return tellingHeaders.has(name.toLowerCase()) ? this : super.appendHeader(name, value)
  }
}

const { Reply } = hardenedReplies({ isSecure: () => false, isStopping: () => false })
class Hardened extends Reply<IncomingMessage> {
  constructor() {
    super(new IncomingMessage(new Socket()))
  }
}

const names = fc.constantFrom(
  'x-frame-options',
  'Cache-Control',
  'cache-control',
  'VARY',
  'x-kept',
  'RateLimit',
  'ETag',
  'Server',
  'x-powered-by',
  'set-cookie',
)
const values = fc.constantFrom<string | string[]>('a', 'b', ['c', 'd'])
const fields = fc.uniqueArray(fc.tuple(names, values), {
  maxLength: 4,
  selector: ([name]) => name.toLowerCase(),
})
const step = fc.oneof(
  fc.record({ do: fc.constantFrom('set', 'append', 'remove', 'ask'), name: names, value: values }),
  fc.record({
    do: fc.constant('ask'),
    name: fc.constantFrom('Vary', 'x-nowhere', 'ratelimit'),
    value: values,
  }),
)
const head = fc.oneof(
  fc.constant({ form: 'none', given: [] }),
  fc.record({ form: fc.constantFrom('object', 'list'), given: fields }),
)

type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

/** Does a step, and says what can be seen of it. */
function carryOut(reply: ServerResponse, { do: action, name, value: drawn }: Step): unknown {
  // A copy: Node keeps the list that it is given, and appends to that very one.
  const value = Array.isArray(drawn) ? [...drawn] : drawn
  if (action === 'set') reply.setHeader(name, value)
  else if (action === 'append') reply.appendHeader(name, value)
  else if (action === 'remove') reply.removeHeader(name)
  return {
    value: reply.getHeader(name),
    isThere: reply.hasHeader(name),
    all: { ...reply.getHeaders() },
    names: reply.getHeaderNames().toSorted(),
  }
}

/** The lines of the head, those of `vary` as one list, in which Origin cannot be missing. */
function headOf(reply: ServerResponse): readonly string[] {
  const text = String(Reflect.get(reply, '_header'))
  const lines = text
    .split('\r\n')
    .slice(1)
    .map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()))
    .filter((line) => line !== '' && !line.startsWith('date:'))
  const varying = lines.filter((line) => line.startsWith('vary: ')).map((line) => line.slice('vary: '.length))
  const others = lines.filter((line) => !line.startsWith('vary: '))
  if (varying.length === 0) return others.toSorted()
  return [...others, `vary: ${[...new Set([...varying, 'Origin'])].toSorted().join(', ')}`].toSorted()
}

describe('a hardened reply', () => {
  it('V3.4 behaves as if each of its fields had been set', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), head, fc.boolean(), (steps, { form, given }, hasOwn) => {
        const hardened = new Hardened()
        const model = new Model()
        if (hasOwn) {
          Reflect.apply(Reflect.get(hardened, 'addOwn'), hardened, [ownFields])
          for (const [name, value] of Object.entries(ownFields)) model.setHeader(name, value)
        }
        expect(steps.map((one) => carryOut(hardened, one))).toEqual(steps.map((one) => carryOut(model, one)))
        for (const reply of [hardened, model]) {
          if (form === 'none') reply.writeHead(200)
          else if (form === 'object') reply.writeHead(200, Object.fromEntries(given))
          else reply.writeHead(200, given.flat())
        }
        expect(headOf(hardened)).toEqual(headOf(model))
      }),
      { numRuns: 800 },
    )
  })

  it('V3.4 starts anew with its security headers and nothing else, whatever was done to it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const hardened = new Hardened()
        Reflect.apply(Reflect.get(hardened, 'addOwn'), hardened, [ownFields])
        for (const one of steps) carryOut(hardened, one)
        Reflect.apply(Reflect.get(hardened, 'startAnew'), hardened, [])
        expect({ ...hardened.getHeaders() }).toEqual(Object.fromEntries(securityHeaders(false)))
        hardened.writeHead(200)
        expect(headOf(hardened)).toEqual(headOf(new Model().writeHead(200)))
      }),
      { numRuns: 300 },
    )
  })

  it('tells the names that stand on it as they were given', () => {
    const hardened = new Hardened().setHeader('X-Kept', 'a')
    expect(hardened.getRawHeaderNames()).toContain('X-Kept')
    expect(hardened.getRawHeaderNames().map((name) => name.toLowerCase())).toContain('x-frame-options')
  })

  it.each(['cache-control', 'x-frame-options'])('V3.4 takes nothing from the next reply: %s', (name) => {
    new Hardened().removeHeader(name)
    expect(new Hardened().hasHeader(name)).toBe(true)
  })

  it.each(['a\r\nset-cookie: b=c', 'a\nb', 'a\0b'])('V4.2 takes no line end into a field: %j', (value) => {
    for (const name of ['x-kept', 'cache-control', 'vary']) {
      expect(() => new Hardened().setHeader(name, value)).toThrow()
      expect(() => new Hardened().appendHeader(name, value)).toThrow()
      expect(() => new Hardened().writeHead(200, { [name]: value })).toThrow()
      expect(() => new Hardened().writeHead(200, [name, value])).toThrow()
    }
    expect(() => new Hardened().setHeader(`x${value}`, 'a')).toThrow()
    expect(() => new Hardened().writeHead(200, { [`x${value}`]: 'a' })).toThrow()
    expect(() => new Hardened().writeHead(200, { [`x${value}`]: 'a', 'x-powered-by': 'x' })).toThrow()
  })
})
