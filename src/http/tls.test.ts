import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '../observe/index.ts'
import { createEdge, type Edge } from './edge.ts'
import { tlsOptions } from './tls.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-tls-'))
const files = { certPath: join(folder, 'cert.pem'), keyPath: join(folder, 'key.pem') }
const lines: string[] = []

function makeCertificate(name: string): void {
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost']
  const output = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, ...subject, ...output], { stdio: 'ignore' })
}

function install(name: string): void {
  copyFileSync(join(folder, `${name}.key`), files.keyPath)
  copyFileSync(join(folder, `${name}.crt`), files.certPath)
}

let edge: Edge
let port = 0

beforeAll(async () => {
  for (const name of ['first', 'second']) makeCertificate(name)
  install('first')
  edge = createEdge({
    origin: new URL('https://localhost'),
    mode: 'test',
    trustedProxies: [],
    allowedOrigins: [],
    logger: createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } }),
    tls: files,
    tlsPollMs: 25,
  })
  edge.fastify.get('/', async () => ({ ok: true }))
  await edge.fastify.listen({ host: '127.0.0.1', port: 0 })
  const address = edge.fastify.server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})

afterAll(async () => {
  await edge.fastify.close()
  rmSync(folder, { recursive: true })
})

function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      rejectUnauthorized: false,
      ...options,
    })
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', reject)
  })
}

async function certificateName(): Promise<unknown> {
  const socket = await handshake({})
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return subject.CN
}

function get(path: string, agent?: Agent): Promise<{ status: number; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const host = `localhost:${port}`
    const options = {
      port,
      host: '127.0.0.1',
      path,
      headers: { host },
      rejectUnauthorized: false,
      ...(agent && { agent }),
    }
    const sent = request(options, (reply) => {
      reply
        .resume()
        .on('end', () => resolve({ status: reply.statusCode ?? 0, headers: { ...reply.headers } }))
    })
    sent.on('error', reject).end()
  })
}

describe('TLS profile', () => {
  const intermediate = [
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
  ]

  it('V12.1.1 speaks 1.3 and 1.2, and nothing older', async () => {
    for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
      const socket = await handshake({ minVersion: version, maxVersion: version })
      expect(socket.getProtocol()).toBe(version)
      socket.destroy()
    }
    // The ciphers alone would refuse old versions as well; each of the two must hold without the other.
    expect(tlsOptions(files)).toMatchObject({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' })
    for (const version of ['TLSv1.1', 'TLSv1'] as const) {
      const old = { minVersion: version, maxVersion: version, ciphers: 'ALL@SECLEVEL=0' }
      await expect(handshake(old)).rejects.toThrow(/protocol version|EPROTO|handshake/i)
    }
  })

  for (const cipher of intermediate) {
    it(`V12.1.2 offers ${cipher}`, async () => {
      const socket = await handshake({ maxVersion: 'TLSv1.2', ciphers: cipher })
      expect(socket.getCipher().name).toBe(cipher)
      socket.destroy()
    })
  }

  for (const cipher of [
    'ECDHE-ECDSA-AES128-SHA',
    'ECDHE-ECDSA-AES256-SHA384',
    'ECDHE-ECDSA-AES128-CCM',
    'AES128-GCM-SHA256',
  ]) {
    it(`V12.1.2 refuses ${cipher}`, async () => {
      const weak = { maxVersion: 'TLSv1.2', ciphers: `${cipher}:@SECLEVEL=0` } as const
      await expect(handshake(weak)).rejects.toThrow(/handshake failure|no cipher|EPROTO/i)
    })
  }

  for (const suite of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']) {
    it(`V12.1.2 lets the client choose ${suite}`, async () => {
      const order = {
        minVersion: 'TLSv1.3',
        ciphers: `${suite}:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384`,
      } as const
      const socket = await handshake(order)
      expect(socket.getCipher().name).toBe(suite)
      socket.destroy()
    })
  }

  it('V12.1.2 takes the groups of the profile and no other', async () => {
    for (const group of ['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1']) {
      ;(await handshake({ ecdhCurve: group, minVersion: 'TLSv1.3' })).destroy()
    }
    for (const group of ['secp521r1', 'X448']) {
      await expect(handshake({ ecdhCurve: group, minVersion: 'TLSv1.3' })).rejects.toThrow(
        /handshake|EPROTO|group/i,
      )
    }
  })
})

describe('certificate reload', () => {
  it('V12.1.1 takes a new certificate without dropping a connection, and keeps the old one when files are broken', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    expect((await get('/', agent)).status).toBe(200)
    const [kept] = Object.values(agent.freeSockets).flat()
    expect(await certificateName()).toBe('first')

    writeFileSync(files.certPath, 'no certificate')
    await expect.poll(() => lines.join('')).toContain('the old one stays')
    expect(await certificateName()).toBe('first')

    install('second')
    await expect.poll(certificateName, { timeout: 5_000 }).toBe('second')
    expect((await get('/', agent)).status).toBe(200)
    expect(Object.values(agent.freeSockets).flat()[0]).toBe(kept)
    agent.destroy()
  })
})

describe('replies over TLS', () => {
  it('V3.4.1 carry HSTS, those at the socket too', async () => {
    const wanted = 'max-age=63072000; includeSubDomains'
    expect((await get('/')).headers['strict-transport-security']).toBe(wanted)
    expect((await get('/missing')).headers['strict-transport-security']).toBe(wanted)
    const socket = await handshake({})
    let text = ''
    socket.on('data', (chunk) => {
      text += String(chunk)
    })
    socket.write('G@T / HTTP/1.1\r\n\r\n')
    await new Promise((done) => socket.on('close', done))
    expect(text).toMatch(/^HTTP\/1.1 400 /)
    expect(text).toContain(`strict-transport-security: ${wanted}`)
  })

  it('score A+ by the rules of the HTTP Observatory', async () => {
    const { headers } = await get('/')
    expect(observatoryScore(headers)).toBeGreaterThanOrEqual(100)
    expect(observatoryScore({ ...headers, 'content-security-policy': undefined })).toBeLessThan(100)
    expect(observatoryScore({ ...headers, 'strict-transport-security': undefined })).toBeLessThan(100)
  })
})

// The modifiers of MDN HTTP Observatory, algorithm 6, for what a header alone decides. A bonus counts only when the
// score without bonuses is 90 or more. The certificate counts as trusted, and there is no plain HTTP.
function observatoryScore(headers: Record<string, unknown>): number {
  const field = (name: string): string => String(headers[name] ?? '')
  const csp = new Map(
    field('content-security-policy')
      .split(';')
      .map((directive) => directive.trim().split(/\s+/))
      .map(([name = '', ...sources]) => [name, sources.join(' ')]),
  )
  const hstsSeconds = Number(/max-age=(\d+)/.exec(field('strict-transport-security'))?.[1] ?? 0)
  const isStrictCsp =
    csp.get('default-src') === "'none'" && ["'none'", "'self'"].includes(csp.get('form-action') ?? '')
  const framesBy =
    csp.get('frame-ancestors') === "'none'" || /^(deny|sameorigin)$/i.test(field('x-frame-options'))
  const isOpenToAll =
    field('access-control-allow-origin') !== '' && field('access-control-allow-credentials') === 'true'
  const modifiers = [
    csp.has('default-src') ? (isStrictCsp && !/unsafe/.test(field('content-security-policy')) ? 10 : 5) : -25,
    hstsSeconds === 0 ? -20 : hstsSeconds < 15_768_000 ? -10 : 0,
    field('x-content-type-options') === 'nosniff' ? 0 : -5,
    framesBy ? 5 : -20,
    /^(no-referrer|same-origin|strict-origin)/.test(field('referrer-policy')) ? 5 : 0,
    /^same-(origin|site)$/.test(field('cross-origin-resource-policy')) ? 10 : 0,
    field('cross-origin-embedder-policy') === 'require-corp' ? 10 : 0,
    field('cross-origin-opener-policy') === 'same-origin' ? 10 : 0,
    isOpenToAll ? -50 : 0,
  ]
  const plain =
    100 + modifiers.filter((modifier) => modifier < 0).reduce((sum, modifier) => sum + modifier, 0)
  const bonus = modifiers.filter((modifier) => modifier > 0).reduce((sum, modifier) => sum + modifier, 0)
  return plain >= 90 ? plain + bonus : plain
}
