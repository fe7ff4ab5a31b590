import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { nodeHttp } from '../base/index.ts'
import { type GivenField, givenFields, HeaderText } from './header-text.ts'
import { securityHeaders, tellingHeaders } from './headers.ts'

/** The reply of each socket's latest request, for whoever finds the socket broken. */
export interface LatestReplies {
  /** True while a reply is on its way whose head has been sent: nothing else may be written to the socket. */
  isReplying(socket: Socket): boolean
}

/** What a server needs to make its replies. */
export interface HardenedReplies extends LatestReplies {
  readonly Reply: typeof ServerResponse
}

/** What replies have to know. */
export interface ReplyFacts {
  /** Whether a request came over TLS. */
  readonly isSecure: (request: IncomingMessage) => boolean
  /** Whether the server stops: then each reply is the last one of its connection. */
  readonly isStopping: () => boolean
}

declare module 'node:http' {
  interface ServerResponse {
    /**
     * Writes the head of a message: its first line, then these fields. Node calls it for every head, also for those
     * that it makes by itself. It is not documented, but older than every version that we support; where it were
     * missing, each reply is dressed field by field.
     */
    _storeHeader(firstLine: string, headers: object | undefined): void
    /** Documented for every outgoing message; the types know it for requests alone. */
    getRawHeaderNames(): string[]
  }
}

/** Fields by their names in lower case. Names and values are the server's own, and need no look for line ends. */
export type OwnFields = Readonly<Record<string, string>>

/** Whether a text can be put in front of all fields that are set one by one. */
const hasHead = typeof nodeHttp.ServerResponse.prototype._storeHeader === 'function'
const jsonType = 'content-type: application/json; charset=utf-8\r\n'
const plainText = new HeaderText(securityHeaders(false))
const secureText = new HeaderText(securityHeaders(true))

/**
 * A reply that is born with the security headers and cannot take on a header that tells what the server is built of.
 * This holds also for the replies that Node writes by itself.
 *
 * The security headers are not set one by one, which would be checked and copied for each reply; they are one text,
 * made once, that stands behind the status line. To whoever asks, they look as if they had been set.
 */
export class HardenedReply<Request extends IncomingMessage> extends nodeHttp.ServerResponse<Request> {
  #block = plainText
  /** Names of the block that were taken from this reply. */
  #removed: Set<string> | undefined
  #own: OwnFields | undefined
  #typeLine = ''
  /** How long the body is that {@link sendJson} has sent. */
  bodyBytes: number | undefined

  /** Puts the security headers on it. */
  protected dressFor(isSecure: boolean): void {
    if (!hasHead) dress(this, isSecure)
    else if (isSecure) this.#block = secureText
  }

  /** Adds fields of our own. What is set by name goes before them. */
  addOwn(fields: OwnFields): void {
    this.#own = this.#own === undefined ? fields : { ...this.#own, ...fields }
    if (!hasHead) for (const [name, value] of Object.entries(fields)) this.setHeader(name, value)
  }

  /** Sends a reply whose body is JSON, in one piece. */
  sendJson(status: number, text: string): void {
    this.statusCode = status
    if (hasHead) this.#typeLine = jsonType
    else this.setHeader('content-type', 'application/json; charset=utf-8')
    this.bodyBytes = Buffer.byteLength(text)
    // One byte for each character is copied, anything else has to be encoded.
    this.end(text, this.bodyBytes === text.length ? 'latin1' : 'utf8')
  }

  /** Takes back everything that was set but the security headers. */
  startAnew(): void {
    this.#removed = undefined
    this.#own = undefined
    for (const name of super.getHeaderNames()) super.removeHeader(name)
    if (!hasHead) this.dressFor(this.#block === secureText)
  }

  override setHeader(name: string, value: number | string | readonly string[]): this {
    return tellingHeaders.has(name.toLowerCase()) ? this : super.setHeader(name, value)
  }

  override appendHeader(name: string, value: string | readonly string[]): this {
    if (tellingHeaders.has(name.toLowerCase())) return this
    const given = super.hasHeader(name) ? undefined : this.#given(name)
    if (given !== undefined) super.setHeader(name, given)
    return super.appendHeader(name, value)
  }

  override removeHeader(name: string): void {
    const lower = name.toLowerCase()
    this.#removed ??= new Set()
    this.#removed.add(lower)
    super.removeHeader(name)
  }

  override getHeader(name: string): number | string | string[] | undefined {
    return super.getHeader(name) ?? this.#given(name)
  }

  override hasHeader(name: string): boolean {
    return super.hasHeader(name) || this.#given(name) !== undefined
  }

  override getHeaders(): OutgoingHttpHeaders {
    const all: OutgoingHttpHeaders = Object.create(null)
    if (hasHead)
      for (const [name, value] of [...this.#block.fields, ...Object.entries(this.#own ?? {})])
        if (this.#removed?.has(name) !== true) all[name] = value
    return Object.assign(all, super.getHeaders())
  }

  override getHeaderNames(): string[] {
    return Object.keys(this.getHeaders())
  }

  override getRawHeaderNames(): string[] {
    const set = super.getRawHeaderNames()
    const known = new Set(set.map((name) => name.toLowerCase()))
    return [...this.getHeaderNames().filter((name) => !known.has(name)), ...set]
  }

  override _storeHeader(firstLine: string, headers: object | undefined): void {
    if (!hasHead) {
      super._storeHeader(firstLine, headers)
      return
    }
    const given = givenFields(headers)
    let text = firstLine + this.#block.without(given, this.#removed)
    for (const name in this.#own) {
      const isTaken = this.#removed?.has(name) === true || given.some(([other]) => other === name)
      if (!isTaken) text += `${name}: ${this.#own[name]}\r\n`
    }
    // What was set by name was held against these then; `writeHead` alone gives fields without setting them.
    const isTelling = given.some(([name]) => tellingHeaders.has(name))
    super._storeHeader(text + this.#typeLine, isTelling ? withoutTelling(given) : headers)
  }

  /** The value of a field of ours that nothing has been set over. */
  #given(name: string): string | undefined {
    const lower = name.toLowerCase()
    if (!hasHead || this.#removed?.has(lower) === true) return undefined
    return this.#own?.[lower] ?? this.#block.valueOf(lower)
  }
}

function withoutTelling(given: readonly GivenField[]): object {
  return given.filter(([name]) => !tellingHeaders.has(name))
}

/** Makes the class of a server's replies. */
export function hardenedReplies({ isSecure, isStopping }: ReplyFacts): HardenedReplies {
  const latest = new WeakMap<Socket, { reply: ServerResponse }>()
  class Reply<Request extends IncomingMessage> extends HardenedReply<Request> {
    constructor(...args: readonly [request: Request]) {
      // Node hands over more than the declared argument.
      super(...args)
      const [request] = args
      const place = latest.get(request.socket)
      if (place === undefined) latest.set(request.socket, { reply: this })
      else place.reply = this
      this.dressFor(isSecure(request))
    }

    override _storeHeader(firstLine: string, headers: object | undefined): void {
      if (isStopping()) this.shouldKeepAlive = false
      super._storeHeader(firstLine, headers)
    }
  }
  return {
    Reply,
    isReplying(socket) {
      const reply = latest.get(socket)?.reply
      if (reply === undefined || !reply.headersSent || reply.writableFinished) return false
      // One that has been said in full and handed to the socket, though nobody has been told yet.
      return !(reply.writableEnded && reply.writableLength === 0)
    },
  }
}

/** Puts the security headers on a reply; whatever a handler sets later under the same name wins. */
export function dress(reply: ServerResponse, isSecure: boolean): void {
  for (const [name, value] of securityHeaders(isSecure)) reply.setHeader(name, value)
}

/**
 * The same for a reply that no server of ours has made: one of `inject`. A handler that names another field must not
 * take Origin away.
 */
export function dressInjected(reply: ServerResponse, isSecure: boolean): void {
  dress(reply, isSecure)
  const set = reply.setHeader.bind(reply)
  reply.setHeader = (name, value) =>
    name.toLowerCase() === 'vary' && !/\borigin\b|\*/i.test(String(value))
      ? set(name, `${String(value)}, Origin`)
      : set(name, value)
}
