import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, startRedis, type TestRedis } from '../../../test/kit/redis.ts'
import { makeCertificate } from '../../../test/kit/smtp.ts'
import { Secret } from '../../base/index.ts'
import { policyOf } from '../policy.ts'
import { type RedisFault, redisStore } from './index.ts'

const key = new Secret(Buffer.alloc(32, 7))
const folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-tls-'))
const { cert, key: certificateKey } = makeCertificate('IP:127.0.0.1')
const trusted = getCACertificates('default')
let redis: TestRedis
let tlsPort = 0

beforeAll(async () => {
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), certificateKey)
  tlsPort = await freePort()
  const files = ['--tls-cert-file', join(folder, 'cert.pem'), '--tls-key-file', join(folder, 'key.pem')]
  redis = await startRedis('--tls-port', String(tlsPort), '--tls-auth-clients', 'no', ...files)
})
afterAll(async () => {
  setDefaultCACertificates(trusted)
  await redis.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('a store in Redis over TLS', () => {
  it('V12.3.1 V12.3.2 does not talk to a server whose certificate nobody vouches for', async () => {
    const faults: RedisFault[] = []
    const url = new Secret(`rediss://127.0.0.1:${tlsPort}`)
    const store = redisStore({ url, key, onOutage: (fault) => faults.push(fault) })
    await store.ready()
    expect(store.isShared).toBe(false)
    expect(faults.map(({ code }) => code)).toEqual(['DEPTH_ZERO_SELF_SIGNED_CERT'])
    await store.close()
  })

  it('V12.3.1 talks to one whose certificate is good', async () => {
    setDefaultCACertificates([...trusted, cert])
    const store = redisStore({ url: new Secret(`rediss://127.0.0.1:${tlsPort}`), key, timeoutMs: 10_000 })
    await store.ready()
    expect(store.isShared).toBe(true)
    const check = { policy: policyOf({ count: 2, windowSeconds: 3_600 }, { name: 'x' }), key: 'a' }
    expect(await store.consume([check], 1)).toMatchObject({ allowed: true, remaining: 1 })
    await store.close()
  })
})
