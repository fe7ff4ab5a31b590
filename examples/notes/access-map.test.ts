import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { holdfast } from '../../test/kit/command-line.ts'

const app = fileURLToPath(new URL('app.ts', import.meta.url))
const map = fileURLToPath(new URL('access-map.json', import.meta.url))

it('V8.1.1 the committed access map says what the application declares', async () => {
  const { code, out, err } = await holdfast(['routes', app, '--check', map])
  expect({ code, out: code === 0 ? '' : out, err }).toEqual({ code: 0, out: '', err: '' })
})
