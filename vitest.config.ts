import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  // Tests import `holdfast` by name, as an application does, and get the TypeScript sources.
  resolve: { conditions: ['holdfast-source', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['holdfast-source', 'node', 'import', 'default'] } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    testTimeout: 20_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary'] },
  },
})

export default config
