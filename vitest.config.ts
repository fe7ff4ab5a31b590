import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { chromiumPath, filesThatNeedChromium } from './test/browser/kit/chromium.ts'
import {
  filesThatNeedPostgres,
  filesThatNeedRedis,
  isPostgresThere,
  isRedisThere,
} from './test/kit/services.ts'

const hasPostgres = await isPostgresThere()
// On a machine without PostgreSQL its tests are left out, and it is said; where everything has to be tested they fail.
const isLeftOut = !hasPostgres && process.env['CI'] === undefined
const isRedisLeftOut = process.env['CI'] === undefined && !isRedisThere()
const isUnseen = chromiumPath() === undefined && process.env['CI'] === undefined
if (isUnseen) {
  process.stderr.write(
    'No Chromium at HOLDFAST_TEST_CHROMIUM or in /usr/bin: the pages are not looked at here.\n',
  )
}
if (isRedisLeftOut) {
  process.stderr.write('No redis-server and redis-cli on the PATH: what needs them is not tested here.\n')
}
if (isLeftOut) {
  process.stderr.write(
    'No PostgreSQL answers at HOLDFAST_TEST_POSTGRES or 127.0.0.1:5432: what needs it is not tested here.\n',
  )
}

const config: ViteUserConfig = defineConfig({
  // Tests import `holdfast` by name, as an application does, and get the TypeScript sources.
  resolve: { conditions: ['holdfast-source', 'node'] },
  ssr: { resolve: { conditions: ['holdfast-source', 'node'] } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    exclude: [
      ...(isLeftOut ? filesThatNeedPostgres() : []),
      ...(isRedisLeftOut ? filesThatNeedRedis() : []),
      ...(isUnseen ? filesThatNeedChromium() : []),
    ],
    env: isLeftOut ? { HOLDFAST_TEST_ENGINES: 'sqlite' } : {},
    testTimeout: 20_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary'] },
  },
})

export default config
