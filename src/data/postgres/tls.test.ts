import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type FreshPostgres, freshPostgres } from '../../../test/kit/postgres.ts'
import { Secret } from '../../base/index.ts'
import { databaseOn } from '../open.ts'
import { PostgresEngine } from './engine.ts'

// An address that leads to this machine and is not one of its loopback addresses: a remote host, as far as we know.
const remote = '0.0.0.0'

let folder: string
let postgres: FreshPostgres

/** A server before the real one that answers the request for encryption, and what it was sent. */
interface Front {
  readonly port: number
  /** What came through decrypted, or in the clear when it has refused to encrypt. */
  received(): string
  close(): void
}

const fronts: Front[] = []

/** @param name The certificate to show; without one it offers no encryption. */
async function front(name?: string): Promise<Front> {
  let received = ''
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => undefined)
  }
  const pass = (client: Socket): void => {
    const target = new URL(postgres.url)
    const server = keep(connect(Number(target.port || 5432), target.hostname))
    client.on('data', (bytes) => {
      received += bytes.toString('latin1')
      server.write(bytes)
    })
    server.on('data', (bytes) => void client.write(bytes))
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
  }
  const listening: Server = createServer((socket) => {
    keep(socket).once('data', () => {
      if (name === undefined) {
        socket.write('N')
        pass(socket)
        return
      }
      socket.pause()
      socket.write('S')
      const secure = new TLSSocket(socket, {
        isServer: true,
        key: readFileSync(join(folder, `${name}.key`)),
        cert: readFileSync(join(folder, `${name}.pem`)),
      })
      pass(keep(secure))
      socket.resume()
    })
  }).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const address = listening.address()
  const made: Front = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    received: () => received,
    close: () => {
      listening.close()
      for (const socket of sockets) socket.destroy()
    },
  }
  fronts.push(made)
  return made
}

function makeCertificate(name: string, names: string): void {
  const make = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test`
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)]
  execFileSync('openssl', [...make.split(' '), ...files, '-addext', `subjectAltName=${names}`], {
    stdio: 'ignore',
  })
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-tls-'))
  makeCertificate('right', `IP:${remote}`)
  makeCertificate('other', 'DNS:other.example')
  postgres = await freshPostgres()
})

afterEach(() => {
  for (const one of fronts.splice(0)) one.close()
  vi.unstubAllEnvs()
})

afterAll(async () => {
  await postgres.drop()
  rmSync(folder, { recursive: true })
})

/** Asks the server behind a front for the number one, with a password in the URL. */
async function ask({ port }: Front, parameters: string, host: string = remote): Promise<unknown> {
  const url = new URL(postgres.url)
  url.hostname = host
  url.port = String(port)
  url.password = 'hunter2'
  url.search = parameters
  const database = databaseOn(new PostgresEngine(new Secret(url.href), { connectMs: 2_000 }))
  try {
    const { rows } = await sql<{ n: number }>`select 1 as n`.execute(database.db)
    return rows[0]?.n
  } finally {
    await database.close()
  }
}

describe('V12.3.2 a server that cannot prove who it is', () => {
  const parameters = ['', 'sslmode=prefer', 'sslmode=allow', 'sslmode=require', 'sslmode=verify-ca']
  for (const one of [...parameters, 'sslmode=verify-full']) {
    it(`hears nothing from us: ${one || 'nothing said'}`, async () => {
      const server = await front('right')
      await expect(ask(server, one)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
      })
      expect(server.received()).toBe('')
    })
  }

  it('hears nothing from us on this machine either, when it is told to prove it', async () => {
    const server = await front('right')
    await expect(ask(server, 'sslmode=require', '127.0.0.1')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(server.received()).toBe('')
  })

  it('hears nothing from us whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    vi.stubEnv('PGSSLMODE', 'no-verify')
    const server = await front('right')
    await expect(ask(server, '')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(server.received()).toBe('')
  })

  it('hears nothing from us with the certificate of another', async () => {
    const server = await front('other')
    const authority = `sslrootcert=${join(folder, 'other.pem')}`
    await expect(ask(server, authority)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
    expect(server.received()).toBe('')
  })

  it('hears nothing from us when it offers no encryption', async () => {
    const server = await front()
    await expect(ask(server, '')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(server.received()).toBe('')
  })
})

describe('V12.3.1 a server that can', () => {
  it('is spoken to', async () => {
    const server = await front('right')
    expect(await ask(server, `sslrootcert=${join(folder, 'right.pem')}`)).toBe(1)
    expect(server.received()).toContain('select 1 as n')
  })

  it('is not asked for a proof when somebody has decided so', async () => {
    expect(await ask(await front('other'), 'sslmode=no-verify')).toBe(1)
    const url = new URL(postgres.url)
    expect(await ask({ ...(await front()), port: Number(url.port || 5432) }, 'sslmode=disable')).toBe(1)
  })
})
