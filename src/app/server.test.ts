import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../observe/index.ts'
import { words } from '../route/index.ts'
import { SettingsFault } from '../settings/index.ts'
import { createApp } from './create-app.ts'
import { testIdentity } from './identity-source.ts'

const { vocabulary } = words({ resources: [], roles: [], limits: {} })
const app = createApp({ title: 'Empty', vocabulary, routes: [] })
const logger = createLogger({ level: 'fatal' })

describe('a server that cannot listen', () => {
  it('says which setting is in the way, and lets go of everything', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-app-'))
    const taken = createServer()
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => {
        const bound = taken.address()
        resolve(typeof bound === 'object' && bound !== null ? bound.port : 0)
      })
    })
    try {
      const environment = { NODE_ENV: 'test', HOLDFAST_DATA_DIR: dataDir, PORT: String(port) }
      const server = await app.boot({ environment, logger })
      const failed = await server.listen().then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(failed).toBeInstanceOf(SettingsFault)
      expect(String(Reflect.get(Object(failed), 'report'))).toContain('PORT is used by another process')
    } finally {
      taken.close()
      rmSync(dataDir, { recursive: true })
    }
  })

  it('V13.2.3 does not boot in production on the test identity', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-app-'))
    const environment = {
      NODE_ENV: 'production',
      HOLDFAST_DATA_DIR: dataDir,
      PUBLIC_ORIGIN: 'https://notes.example.org',
      HOLDFAST_SECRET: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64'),
      SMTP_URL: 'smtps://mail.example.org',
      MAIL_FROM: 'notes@example.org',
    }
    await expect(app.boot({ environment, logger, identity: testIdentity })).rejects.toThrow('NODE_ENV')
    rmSync(dataDir, { recursive: true })
  })
})
