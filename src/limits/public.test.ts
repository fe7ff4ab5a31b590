import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const rootDir = fileURLToPath(new URL('../..', import.meta.url))

/** The modules that a program loads, by their path in the repository. */
async function loadedBy(program: string): Promise<string[]> {
  const watching = `
    import { registerHooks } from 'node:module'
    const urls = []
    registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) })
    ${program}
    console.log(JSON.stringify(urls))`
  const args = ['--conditions=holdfast-source', '--input-type=module', '--eval', watching]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: rootDir })
  const urls: unknown = JSON.parse(stdout)
  const here = new URL('../..', import.meta.url).href
  return Array.isArray(urls) ? urls.map((url) => String(url).replace(here, '')) : []
}

const use = `
  const { createLimiter, per, expressLimits, fastifyLimits } = await import('holdfast/limits')
  const limiter = createLimiter(per('minute', 5))
  expressLimits(limiter)
  if (!(await limiter.take({ address: '192.0.2.1' })).allowed) process.exit(1)`

describe('V15.2.3 the door of the limits', () => {
  it('V15.2.3 loads a few files of ours, and no package', async () => {
    const loaded = await loadedBy(use)
    expect(loaded).toContain('src/limits/public.ts')
    const foreign = loaded.filter(
      (path) =>
        !/^(node:[\w/]+|src\/(limits|base|crypto|errors)\/[\w/-]+\.ts|src\/route\/limit-faults\.ts)$/.test(
          path,
        ),
    )
    expect(foreign).toEqual([])
  })

  it('loads the client of Redis with the first store there, and not before', async () => {
    const store = `${use}
      const { redisStore } = await import('holdfast/limits')
      const store = redisStore({ url: 'redis://127.0.0.1:1', secret: 'x'.repeat(32) })
      await store.ready()
      await store.close()`
    const packages = (await loadedBy(store)).filter((path) => path.startsWith('node_modules/'))
    expect(packages.some((path) => path.startsWith('node_modules/@redis/client/'))).toBe(true)
    expect(packages.filter((path) => /\/(fastify|kysely|zod|pino)\//.test(path))).toEqual([])
  })
})
