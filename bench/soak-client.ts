import { Agent, type IncomingMessage, request } from 'node:http'

/** One request of the soak. */
export interface Call {
  /** What it is for, in the table of what was done. */
  readonly what: string
  /** The address that the client has behind the proxy that the server trusts. */
  readonly from: string
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown
  /** The statuses that are right; without them, everything below 500 is. */
  readonly expected?: readonly number[]
  /** The server may refuse before all was sent and close, so that no answer is no fault. */
  readonly mayBreakOff?: boolean
}

/** What came back. */
export interface Reply {
  readonly status: number
  readonly tag: string
  readonly json: unknown
}

/** What a kind of request came to. */
export interface Tally {
  count: number
  readonly statuses: Map<number, number>
}

// A reply that takes longer is one that never comes.
const patienceMs = 30_000
const faultMaxCount = 100
const latencyMaxCount = 200_000

/** Sends requests, counts what comes back, and keeps what must not have come. */
export class SoakClient {
  readonly tallies = new Map<string, Tally>()
  /** The first hundred things that were wrong. */
  readonly faults: string[] = []
  faultCount = 0
  /** 503 with Retry-After: the server asked to come back, and did nothing. */
  turnedAwayCount = 0
  askedCount = 0
  /** How long honest reads took, since they were last taken. */
  readsMs: number[] = []
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  #address = ''

  /** Where the server is; it changes with a restart. */
  at(address: string): void {
    this.#address = address
  }

  /** Enters something that must not be. */
  fault(what: string): void {
    this.faultCount += 1
    if (this.faults.length < faultMaxCount) this.faults.push(what)
  }

  /** Sends a request; `undefined` when the server asked to come back later, or did not answer, which is a fault. */
  async ask(call: Call): Promise<Reply | undefined> {
    this.askedCount += 1
    const startMs = performance.now()
    const answer = await this.#send(call).catch((error: unknown) => String(error))
    if (typeof answer === 'string') {
      if (call.mayBreakOff === true) this.#count(call.what, 0)
      else this.fault(`${call.what}: no answer to ${call.method} ${call.path.slice(0, 80)}: ${answer}`)
      return undefined
    }
    const { status, isRetried, ...reply } = answer
    if (call.what === 'read' && this.readsMs.length < latencyMaxCount)
      this.readsMs.push(performance.now() - startMs)
    this.#count(call.what, status)
    if (status === 503 && isRetried) {
      this.turnedAwayCount += 1
      return undefined
    }
    if (status >= 500 || call.expected?.includes(status) === false)
      this.fault(
        `${call.what}: ${call.method} ${call.path.slice(0, 80)} answered ${status} ${JSON.stringify(reply.json)?.slice(0, 200)}`,
      )
    return { status, ...reply }
  }

  // Status 0 stands for a connection that the server has closed.
  #count(what: string, status: number): void {
    const tally = this.tallies.get(what) ?? { count: 0, statuses: new Map<number, number>() }
    this.tallies.set(what, tally)
    tally.count += 1
    tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1)
  }

  /** Closes the connections that are kept. */
  close(): void {
    this.#agent.destroy()
  }

  #send(call: Call): Promise<Reply & { readonly isRetried: boolean }> {
    const content =
      call.body === undefined || typeof call.body === 'string' ? call.body : JSON.stringify(call.body)
    const headers = {
      'x-forwarded-for': call.from,
      ...(content === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(content)) }),
      ...call.headers,
    }
    return new Promise((resolve, reject) => {
      const sent = request(
        this.#address + call.path,
        { agent: this.#agent, method: call.method, headers, timeout: patienceMs },
        (response) => collect(response).then(resolve, reject),
      )
      sent.on('timeout', () => sent.destroy(new Error(`nothing within ${patienceMs} ms`)))
      sent.on('error', reject)
      sent.end(content)
    })
  }
}

async function collect(response: IncomingMessage): Promise<Reply & { readonly isRetried: boolean }> {
  const parts: Buffer[] = []
  for await (const part of response) parts.push(Buffer.from(part))
  const text = Buffer.concat(parts).toString('utf8')
  const isJson = /^application\/(problem\+)?json/.test(response.headers['content-type'] ?? '')
  return {
    status: response.statusCode ?? 0,
    tag: response.headers.etag ?? '',
    isRetried: response.headers['retry-after'] !== undefined,
    json: isJson && text !== '' ? JSON.parse(text) : undefined,
  }
}
