import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { holdfast } from '../../test/kit/command-line.ts'

const app = fileURLToPath(new URL('app.ts', import.meta.url))
const guide = fileURLToPath(new URL('../../docs/guide/limits.md', import.meta.url))
const map = fileURLToPath(new URL('access-map.json', import.meta.url))

it('V8.1.1 the committed access map says what the application declares', async () => {
  const { code, out, err } = await holdfast(['routes', app, '--check', map])
  expect({ code, out: code === 0 ? '' : out, err }).toEqual({ code: 0, out: '', err: '' })
})

it('V2.1.3 the guide says what each endpoint lets through', async () => {
  const { out } = await holdfast(['routes', app, '--format', 'limits'])
  const table = /<!-- limits:start -->\n([\s\S]*)<!-- limits:end -->/.exec(readFileSync(guide, 'utf8'))?.[1]
  expect(table).toBe(out)
})
