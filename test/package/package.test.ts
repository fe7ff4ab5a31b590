import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memberOf } from '../tidy/manifest.ts'
import { repositoryFiles, rootDir } from '../tidy/repository.ts'
import { freePort, runTool, served } from './processes.ts'

// The package as somebody else gets it: built from the files git knows, packed, installed in an empty folder, and run.

const workDir = mkdtempSync(join(tmpdir(), 'holdfast-package-'))
const checkoutDir = join(workDir, 'checkout')
const consumerDir = join(workDir, 'consumer')
const tarball = join(workDir, 'holdfast.tgz')
const modules = join(rootDir, 'node_modules')

const words = `import { createApp, per, words } from 'holdfast'
import { z } from 'zod'

const { route, open, vocabulary } = words({ resources: [], roles: ['admin'], limits: { read: per('minute', 300) } })

export const hello = route(
  'GET /api/hello',
  { access: open('Says hello to anyone.'), output: z.strictObject({ hello: z.string().max(9) }), limit: 'read' },
  () => ({ hello: 'world', secret: 'dropped' }),
)
`
const app = `${words}
export default createApp({ title: 'Hello', version: '1.0.0', vocabulary, routes: [hello] })
`

const limited = `import { createServer } from 'node:http'
import { createLimiter, expressLimits, per } from 'holdfast/limits'

const limits = expressLimits(createLimiter(per('minute', 2, { by: ['address'] })))
const server = createServer((request, reply) => {
  limits(request, reply, (error) => reply.writeHead(error === undefined ? 200 : 500).end())
}).listen(0, '127.0.0.1', async () => {
  const address = server.address()
  if (address === null || typeof address === 'string') return
  for (let index = 0; index < 3; index++) {
    const { status, headers } = await fetch('http://127.0.0.1:' + address.port)
    console.log(status, headers.get('ratelimit-policy'))
  }
  server.closeAllConnections()
  server.close()
})
`

let shipped: readonly string[] = []

beforeAll(async () => {
  for (const path of repositoryFiles()) {
    mkdirSync(dirname(join(checkoutDir, path)), { recursive: true })
    cpSync(join(rootDir, path), join(checkoutDir, path))
  }
  symlinkSync(modules, join(checkoutDir, 'node_modules'))
  await runTool('npm', ['run', 'build'], checkoutDir)
  const packed: unknown = JSON.parse(
    await runTool('npm', ['pack', '--json', '--ignore-scripts'], checkoutDir),
  )
  const pack = Array.isArray(packed) ? packed[0] : packed
  const files = memberOf(pack, 'files')
  shipped = Array.isArray(files) ? files.map((file) => String(memberOf(file, 'path'))) : []
  cpSync(join(checkoutDir, String(memberOf(pack, 'filename'))), tarball)
}, 60_000)

afterAll(() => {
  rmSync(workDir, { recursive: true, force: true })
})

describe('the packed package', () => {
  it('holds the build, the sources it was made of and the documents, and nothing else', () => {
    const sources = repositoryFiles().filter((path) => path.startsWith('src/') && !path.endsWith('.test.ts'))
    const built = sources
      .filter((path) => /\.[jt]s$/.test(path))
      .flatMap((path) => {
        const stem = path.replace(/^src\//, 'dist/').replace(/\.[jt]s$/, '')
        return [`${stem}.js`, `${stem}.js.map`, `${stem}.d.ts`, `${stem}.d.ts.map`]
      })
    const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json']
    expect([...shipped].sort()).toEqual([...documents, ...built, ...sources].sort())
  })

  it('passes publint', async () => {
    await runTool(
      process.execPath,
      [join(modules, 'publint/src/cli.js'), 'run', tarball, '--strict'],
      workDir,
    )
  })

  it('gives its types to every way of importing it', async () => {
    const attw = join(modules, '@arethetypeswrong/cli/dist/index.js')
    const args = [attw, tarball, '--profile', 'esm-only', '--no-definitely-typed', '--no-color']
    await runTool(process.execPath, args, workDir)
  })
})

describe('the package installed in an empty folder', () => {
  beforeAll(async () => {
    mkdirSync(consumerDir)
    writeFileSync(join(consumerDir, 'package.json'), '{ "private": true, "type": "module" }\n')
    const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
    await runTool('npm', ['install', tarball, 'zod', ...quiet], consumerDir)
    writeFileSync(join(consumerDir, 'app.js'), app)
  }, 120_000)

  it('prints its help', async () => {
    expect(await runTool('npx', ['--no-install', 'holdfast', '--help'], consumerDir)).toContain('holdfast')
  })

  it('serves an application, and drops what its output does not name', async () => {
    const port = await freePort()
    const environment = { PORT: String(port), HOLDFAST_DATA_DIR: join(consumerDir, 'data') }
    const command = join(consumerDir, 'node_modules/holdfast/dist/cli/main.js')
    await served([command, 'start', 'app.js'], consumerDir, environment, async () => {
      const live = await fetch(`http://127.0.0.1:${port}/health/live`)
      expect(live.status).toBe(200)
      const hello = await fetch(`http://127.0.0.1:${port}/api/hello`)
      expect(await hello.json()).toEqual({ hello: 'world' })
    })
  })

  it('gives its limits alone, to a server that has nothing else of it', async () => {
    writeFileSync(join(consumerDir, 'limited.js'), limited)
    const told = '"limit";q=2;w=60'
    const printed = await runTool(process.execPath, ['limited.js'], consumerDir)
    expect(printed).toBe(`200 ${told}\n200 ${told}\n429 ${told}\n`)
  })

  it('is typed where it is used, and a mistake does not compile', async () => {
    const compilerOptions = {
      ...{ target: 'es2024', lib: ['es2024'], module: 'nodenext', strict: true, noEmit: true },
      ...{ types: ['node'], typeRoots: [join(modules, '@types')], skipLibCheck: true },
    }
    writeFileSync(join(consumerDir, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    const right = words.replace('createApp, ', '').replace(", secret: 'dropped'", '')
    for (const compiler of ['typescript', 'typescript-language-service']) {
      const tsc = [join(modules, compiler, 'lib/tsc.js'), '-p', consumerDir]
      writeFileSync(join(consumerDir, 'words.ts'), right)
      writeFileSync(join(consumerDir, 'limited.ts'), limited)
      await runTool(process.execPath, tsc, consumerDir)
      writeFileSync(join(consumerDir, 'words.ts'), right.replace("limit: 'read'", "limit: 'raed'"))
      await expect(runTool(process.execPath, tsc, consumerDir)).rejects.toThrow('"raed"')
    }
  })
}, 60_000)
