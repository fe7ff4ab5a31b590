import { request } from 'node:http'
import type { Peer } from './compare-peers.ts'
import { type RunningPeer, startPeer } from './compare-process.ts'
import { rules } from './peers/shared.ts'

// Whether a peer does the work that it is timed at: each control is tried, over HTTP, on a server of its own with a low
// limit. An answer is fast when nothing was looked at.

const limit = 40

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

interface Asking {
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Where the request comes from: all of 127.0.0.0/8 is this machine. */
  readonly from?: string
}

/** Everything that a peer does not do. */
export async function checkPeer(peer: Peer): Promise<readonly string[]> {
  try {
    const running = await startPeer(peer, limit)
    try {
      return peer.controls === null ? await checkOpen(peer, running) : await checkGuarded(peer, running)
    } finally {
      await running.stop()
    }
  } catch (error) {
    return [String(error)]
  }
}

function ask(running: RunningPeer, path: string, { token, headers, from }: Asking = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(`${running.address}${path}`, {
      ...(from === undefined ? {} : { localAddress: from }),
      agent: false,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
    })
    sent.once('error', reject)
    sent.once('response', (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (part) => {
        body += part
      })
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
    })
    sent.end()
  })
}

// The body that all must send, but for the id of its owner, which some choose themselves.
const wantedKeys = 'id,ownerId,title,body,createdAt,updatedAt'
const wantedChars = 394

function faultsOfBody({ status, body }: Answer): readonly string[] {
  if (status !== 200) return [`a read is answered with ${status}: ${body}`]
  const keys = Object.keys(JSON.parse(body)).join(',')
  return [
    ...(keys === wantedKeys ? [] : [`it sends ${keys}`]),
    ...(body.length === wantedChars ? [] : [`it sends ${body.length} characters, not ${wantedChars}`]),
  ]
}

async function checkOpen(peer: Peer, running: RunningPeer): Promise<readonly string[]> {
  return faultsOfBody(await ask(running, running.paths[peer.reads] ?? '', { token: running.tokens.good }))
}

async function checkGuarded(peer: Peer, running: RunningPeer): Promise<readonly string[]> {
  const path = running.paths[peer.reads] ?? ''
  const { good } = running.tokens
  const answer = await ask(running, path, { token: good, headers: { origin: 'https://evil.example' } })
  const faults = [...faultsOfBody(answer)]
  if (answer.headers['x-content-type-options'] !== 'nosniff') faults.push('no nosniff')
  const shared = answer.headers['access-control-allow-origin']
  if (shared === '*' || shared === 'https://evil.example') faults.push('any page may read the answer')
  const allowed = await ask(running, path, { token: good, headers: { origin: rules.allowedOrigin } })
  if (allowed.headers['access-control-allow-origin'] !== rules.allowedOrigin) faults.push('no CORS')
  return [
    ...faults,
    ...(await faultsOfTokens(peer, running, path)),
    ...(await faultsOfPaths(running, path)),
    ...(peer.controls?.checksHost === true
      ? expected(
          [400, 421],
          'another Host',
          await ask(running, path, { token: good, headers: { host: 'evil.example' } }),
        )
      : []),
    ...(await faultsOfLimits(running, path)),
    ...(await faultsOfLog(running)),
  ]
}

function expected(statuses: readonly number[], what: string, { status }: Answer): readonly string[] {
  return statuses.includes(status) ? [] : [`${what} is answered with ${status}`]
}

async function faultsOfTokens(peer: Peer, running: RunningPeer, path: string): Promise<readonly string[]> {
  const { expired, forged, revoked } = running.tokens
  const faults: string[] = []
  const tokens = { expired, forged, garbled: 'abc.def.ghi', missing: undefined }
  for (const [what, token] of Object.entries(tokens))
    faults.push(
      ...expected(
        [401],
        `a token that is ${what}`,
        await ask(running, path, token === undefined ? {} : { token }),
      ),
    )
  if (peer.controls?.revokes !== true) return faults
  return [...faults, ...expected([401], 'a revoked token', await ask(running, path, { token: revoked }))]
}

async function faultsOfPaths(running: RunningPeer, path: string): Promise<readonly string[]> {
  const { good: token } = running.tokens
  const foreign = path.replace(running.paths.read.slice(-12), running.paths.foreign.slice(-12))
  const malformed = path.replace(/[^/]+$/, 'not-an-id')
  return [
    ...expected([403, 404], 'the item of somebody else', await ask(running, foreign, { token })),
    ...expected([400, 422], 'an id that is none', await ask(running, malformed, { token })),
  ]
}

/** One account from two addresses, neither over its own limit; then one address without a token. */
async function faultsOfLimits(running: RunningPeer, path: string): Promise<readonly string[]> {
  const faults: string[] = []
  const { good: token } = running.tokens
  const mine: number[] = []
  for (let index = 0; index < limit * 1.5; index++)
    mine.push((await ask(running, path, { token, from: `127.0.0.${3 + (index % 2)}` })).status)
  if (!mine.includes(200)) faults.push('an account is refused before it is over its limit')
  if (mine.at(-1) !== 429) faults.push('an account has no limit')
  const anonymous: number[] = []
  for (let index = 0; index < limit + 5; index++)
    anonymous.push((await ask(running, path, { from: '127.0.0.5' })).status)
  if (anonymous[0] !== 401) faults.push('an address is refused before it is over its limit')
  if (anonymous.at(-1) !== 429) faults.push('an address has no limit')
  return faults
}

// A log that is written in pieces comes a little later.
const logTimeoutMs = 3_000

async function faultsOfLog(running: RunningPeer): Promise<readonly string[]> {
  const wantedCount = limit * 2.5
  const endMs = performance.now() + logTimeoutMs
  while (performance.now() < endMs) {
    if (running.log().split('\n').length > wantedCount) return []
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return [`${running.log().split('\n').length} lines in its log for ${wantedCount} requests`]
}
