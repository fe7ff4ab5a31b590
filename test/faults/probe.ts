import { Agent, request } from 'node:http'
import { memberOf, requiredHeaders } from '../kit/client.ts'

/** A request as bytes allow it; `fetch` would tidy it up first. */
export interface ProbeRequest {
  readonly method: string
  /** The request target, already escaped. */
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** What came back. */
export interface ProbeReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly content: string
  readonly durationMs: number
}

/** A client that sends what it is given. */
export interface Prober {
  send(asked: ProbeRequest): Promise<ProbeReply>
  close(): void
}

/** Makes a client that keeps a few connections open. */
export function proberOf(address: string): Prober {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  return {
    send: ({ method, target, headers = {}, body }) =>
      new Promise((resolve, reject) => {
        const startMs = performance.now()
        const { hostname, port } = new URL(address)
        const asked = request({ agent, hostname, port, method, path: target, headers })
        let isAnswered = false
        asked.on('response', (response) => {
          isAnswered = true
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              content: Buffer.concat(chunks).toString('utf8'),
              durationMs: performance.now() - startMs,
            }),
          )
          response.on('error', reject)
        })
        // A server that refuses early does not read the rest of a body.
        asked.on('error', (error) => {
          if (!isAnswered) reject(error)
        })
        asked.end(body)
      }),
    close: () => agent.destroy(),
  }
}

/** Stands in everything hostile that is sent, so that an echo of any of it is noticed. */
export const canary = 'kanarie7f3a91'

const slowMs = 5_000

/** What is wrong with a reply to something hostile; empty when nothing is. */
export function faultsOf(reply: ProbeReply, asked: ProbeRequest): readonly string[] {
  const faults: string[] = []
  if (reply.status >= 500) faults.push(`status ${reply.status}`)
  if (reply.durationMs > slowMs) faults.push(`took ${Math.round(reply.durationMs)} ms`)
  for (const name of requiredHeaders) if (reply.headers[name] === undefined) faults.push(`without ${name}`)
  if (reply.status >= 400) faults.push(...errorFaults(reply, asked.method))
  if (JSON.stringify(reply.headers).includes(canary)) faults.push('echoes the input in a header')
  return faults.map((fault) => `${asked.method} ${describe(asked)}: ${fault}`)
}

function errorFaults({ status, headers, content }: ProbeReply, method: string): readonly string[] {
  const faults: string[] = []
  if (headers['content-type'] !== 'application/problem+json') faults.push(`as ${headers['content-type']}`)
  if (content.includes(canary)) faults.push(`echoes the input: ${content.slice(0, 300)}`)
  if (method !== 'HEAD' && memberOf(readJson(content), 'status') !== status)
    faults.push(`says another status than ${status}: ${content.slice(0, 100)}`)
  return faults
}

function readJson(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}

function describe({ target, headers, body }: ProbeRequest): string {
  const sent =
    typeof body === 'string' ? body : body === undefined ? '' : Buffer.from(body).toString('base64')
  return `${target.slice(0, 200)} ${JSON.stringify(headers ?? {}).slice(0, 200)} ${sent.slice(0, 200)}`
}
