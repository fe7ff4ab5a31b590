import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { fixture, holdfast, startHoldfast } from '../../test/kit/command-line.ts'

const manifest = readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8')
const notes = fixture('notes.ts')

function folder(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text)
  }
  return dir
}

const appNamed = (title: string) =>
  `const none = () => undefined
   export default { plan: () => ({ title: '${title}', version: '1', routes: [], resources: [], limits: {}, roles: [], settings: [] }), boot: none, start: none, migrate: none }\n`

describe.concurrent('help and usage', () => {
  const helped = [
    {
      words: ['--help'],
      says: ['start [FILE]', 'dev [FILE]', 'routes [FILE]', 'env', 'migrate [up|down|status] [FILE]', '78'],
    },
    { words: ['-h'], says: ['usage: holdfast COMMAND'] },
    { words: ['help', 'routes'], says: ['usage: holdfast routes [FILE]', '--check FILE'] },
    { words: ['routes', '--help'], says: ['--format text|json', '--write FILE', 'exit codes:'] },
    { words: ['start', '-h'], says: ['usage: holdfast start [FILE]'] },
    { words: ['dev', '--help'], says: ['NODE_ENV=production'] },
    { words: ['env', '--help'], says: ['text|markdown|json'] },
    { words: ['migrate', 'up', '--help'], says: ['reverts the last one'] },
  ]
  for (const { words, says } of helped) {
    it(`holdfast ${words.join(' ')} helps, on standard output`, async () => {
      const { code, out, err } = await holdfast(words)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      for (const text of says) expect(out).toContain(text)
    })
  }

  it('holdfast --version prints the version of the package', async () => {
    const { code, out } = await holdfast(['--version'])
    expect(code).toBe(0)
    expect(manifest).toContain(`"version": "${out.trim()}"`)
  })

  const misused = [
    { words: [], says: 'Which command?' },
    { words: ['rotues'], says: 'There is no command "rotues". Did you mean routes?' },
    { words: ['--verison'], says: 'Did you mean --version?' },
    { words: ['constructor'], says: 'There is no command "constructor".' },
    { words: ['\u001b[31mred'], says: 'There is no command "\\u001b[31mred".' },
    { words: ['env', '--formt', 'json'], says: 'There is no option "--formt". Did you mean --format?' },
    { words: ['env', '--constructor'], says: 'There is no option "--constructor".' },
    { words: ['env', '-x'], says: 'There is no option "-x".' },
    {
      words: ['env', '--format', 'jsn'],
      says: '--format takes one of text, markdown, json. Did you mean json?',
    },
    { words: ['env', '--format'], says: '--format takes one of' },
    { words: ['env', '--format', '--json'], says: '--format takes one of' },
    { words: ['env', '--json=yes'], says: '--json takes no value.' },
    { words: ['env', '--json', '--json'], says: '--json stands twice.' },
    { words: ['env', '--json', '--format', 'text'], says: 'exclude each other' },
    { words: ['env', 'extra'], says: 'env takes nothing but options.' },
    { words: ['routes', notes, 'extra'], says: 'routes takes [FILE].' },
    { words: ['routes', 'absent.ts'], says: 'There is no file "absent.ts".' },
    { words: ['routes', notes, '--check', 'absent.json'], says: 'cannot be read as a plan' },
    { words: ['routes', notes, '--check', 'a', '--write', 'b'], says: 'not both' },
    { words: ['migrate', 'stauts'], says: 'Did you mean status?' },
    { words: ['migrate', 'sideways', notes], says: 'migrate has no "sideways".' },
  ]
  for (const { words, says } of misused) {
    it(`holdfast ${JSON.stringify(words)} exits with 2 and says why, on standard error`, async () => {
      const { code, out, err } = await holdfast(words, { workingDir: folder({}) })
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain(says)
      expect(err).toContain('usage: holdfast')
      expect(err).not.toContain('\u001b')
    })
  }
})

describe.concurrent('finding the application', () => {
  const places = [
    {
      name: 'the FILE',
      words: ['mine.js'],
      files: { 'mine.js': appNamed('mine'), 'app.js': appNamed('other') },
      want: 'mine',
    },
    {
      name: 'package.json',
      words: [],
      files: {
        'package.json': '{"type":"module","holdfast":{"app":"lib/a.js"}}',
        'lib/a.js': appNamed('declared'),
        'app.js': appNamed('other'),
      },
      want: 'declared',
    },
    {
      name: 'app.ts',
      words: [],
      files: { 'app.ts': appNamed('first'), 'app.js': appNamed('other') },
      want: 'first',
    },
    {
      name: 'src/app.js',
      words: [],
      files: { 'src/app.js': appNamed('source'), 'dist/app.js': appNamed('other') },
      want: 'source',
    },
    {
      name: 'dist/app.js',
      words: [],
      files: { 'package.json': '{"type":"module"}', 'dist/app.js': appNamed('built') },
      want: 'built',
    },
  ]
  for (const { name, words, files, want } of places) {
    it(`takes ${name}`, async () => {
      const { code, out } = await holdfast(['routes', '--json', ...words], { workingDir: folder(files) })
      expect(code).toBe(0)
      expect(JSON.parse(out)).toMatchObject({ title: want })
    })
  }

  const unfit = [
    { name: 'nothing here', words: [], files: {}, code: 2, says: 'There is no application here' },
    {
      name: 'a file that package.json only promises',
      words: [],
      files: { 'package.json': '{"holdfast":{"app":"gone.js"}}' },
      code: 78,
      says: '"gone.js"',
    },
    {
      name: 'package.json that is no JSON',
      words: [],
      files: { 'package.json': '{' },
      code: 78,
      says: 'not valid JSON',
    },
    {
      name: 'package.json with a number',
      words: [],
      files: { 'package.json': '{"holdfast":{"app":7}}' },
      code: 78,
      says: 'path of a file',
    },
    {
      name: 'something that is no app',
      words: [fixture('not-an-app.ts')],
      files: {},
      code: 78,
      says: 'export default createApp(',
    },
    {
      name: 'a module that does not load',
      words: [fixture('broken.js')],
      files: {},
      code: 78,
      says: 'no-such-module.js',
    },
  ]
  for (const { name, words, files, code, says } of unfit) {
    it(`refuses ${name} with ${code}`, async () => {
      const result = await holdfast(['routes', ...words], { workingDir: folder(files) })
      expect(result.code).toBe(code)
      expect(result.out).toBe('')
      expect(result.err).toContain(says)
    })
  }
})

describe.concurrent('what refuses', () => {
  it('V8.1.1 the boot gate exits with 78 and its report', async () => {
    const { code, out, err } = await holdfast(['routes', fixture('refused.ts')])
    expect({ code, out }).toEqual({ code: 78, out: '' })
    expect(err).toContain('route.access-missing')
    expect(err).not.toContain('at ')
  })

  it('the settings exit with 78 and their report', async () => {
    const { code, err } = await holdfast(['start', fixture('refused.ts')])
    expect(code).toBe(78)
    expect(err).toContain('PUBLIC_ORIGIN is required in production')
  })

  it('an unforeseen failure exits with 1 and its stack', async () => {
    const { code, err } = await holdfast(['migrate', fixture('refused.ts')])
    expect(code).toBe(1)
    expect(err).toContain('RangeError: a fault that nobody foresaw')
  })
})

describe.concurrent('start and dev', () => {
  it('start serves until a signal stops it', async () => {
    const server = startHoldfast(['start', notes])
    await server.says('listening')
    server.signal('SIGTERM')
    expect(await server.ended).toMatchObject({ code: 0, out: 'listening\nstopped\n' })
  })

  it('dev starts again when a file changes', async () => {
    const start = (text: string) =>
      `start: async () => { console.log('${text}'); setInterval(() => 0, 60000) }, migrate() {} }\n`
    const head = 'export default { plan() {}, boot() {}, '
    const dir = folder({ 'app.js': head + start('one') })
    const server = startHoldfast(['dev'], { workingDir: dir })
    await server.says('one')
    // The module has spoken before Node's watcher has heard of it, so the first change may come too early to be seen.
    const change = setInterval(() => writeFileSync(join(dir, 'app.js'), head + start('two')), 300)
    try {
      await server.says('two')
    } finally {
      clearInterval(change)
    }
    server.signal('SIGTERM')
    expect((await server.ended).out).toContain('two')
  })

  it('V13.4.2 dev does not run in production', async () => {
    const { code, err } = await holdfast(['dev', notes], { environment: { NODE_ENV: 'production' } })
    expect(code).toBe(78)
    expect(err).toContain('use holdfast start')
  })
})

describe.concurrent('migrate', () => {
  const cases = [
    { words: [], code: 0, says: 'applied  002-second\n2 applied, 0 pending.\n' },
    { words: ['up'], code: 0, says: 'applied  002-second\n2 applied, 0 pending.\n' },
    { words: ['down'], code: 0, says: 'reverted  002-second\n1 applied, 1 pending.\n' },
    {
      words: ['status'],
      code: 1,
      says: '1 applied, 1 pending.\n  applied  001-first\n  pending  002-second\n',
    },
  ]
  for (const { words, code, says } of cases) {
    it(`${words[0] ?? '(nothing)'} says what was done and exits with ${code}`, async () => {
      expect(await holdfast(['migrate', ...words, notes])).toEqual({ code, out: says, err: '' })
    })
  }

  it('gives a script the report', async () => {
    const { out } = await holdfast(['migrate', 'status', notes, '--json'])
    expect(JSON.parse(out)).toEqual({
      direction: 'status',
      applied: ['001-first'],
      pending: ['002-second'],
      done: [],
    })
  })
})

describe.concurrent('env', () => {
  it('prints the reference without a value', async () => {
    const { code, out } = await holdfast(['env'], { environment: { HOLDFAST_SECRET: 'c4nary' } })
    expect(code).toBe(0)
    expect(out).toContain('HOLDFAST_SECRET\n')
    expect(out).not.toContain('c4nary')
  })

  it('keeps the table of a document up to date', async () => {
    const dir = folder({
      'README.md': '# x\n<!-- environment:start --><!-- environment:end -->\n',
      'plain.md': '',
    })
    const run = (...words: string[]) => holdfast(['env', ...words], { workingDir: dir })
    expect((await run('--check', 'README.md')).code).toBe(1)
    expect((await run('--write', 'README.md')).code).toBe(0)
    expect(readFileSync(join(dir, 'README.md'), 'utf8')).toContain('| `PORT` |')
    expect((await run('--check', 'README.md')).code).toBe(0)
    expect((await run('--check', 'plain.md')).code).toBe(2)
    expect((await run('--write', 'absent.md')).code).toBe(2)
  })
})
