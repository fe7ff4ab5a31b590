import { expect, it } from 'vitest'
import { Argon2Pool } from './argon2-pool.ts'

const job = { kind: 'verify', phc: '$argon2id$', password: 'x', secret: undefined } as const
const threadOf = (code: string): URL => new URL(`data:text/javascript,${encodeURIComponent(code)}`)

it('V16.5.3 a thread that cannot start is a failure, again and again, and never a wrong password', async () => {
  const pool = new Argon2Pool(threadOf(`throw new RangeError('no library for this system')`))
  for (let count = 0; count < 3; count += 1) await expect(pool.run(job)).rejects.toThrow('no library')
})

it('V16.5.3 a thread that dies fails its job, and the next one gets another thread', async () => {
  const dying = `
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', ({ password }) => {
      if (password === 'die') process.exit(7)
      parentPort.postMessage({ kind: 'verify', isRight: true })
    })`
  const pool = new Argon2Pool(threadOf(dying))
  expect(await pool.run(job)).toEqual({ kind: 'verify', isRight: true })
  await expect(pool.run({ ...job, password: 'die' })).rejects.toThrow('ended with 7')
  expect(await pool.run(job)).toEqual({ kind: 'verify', isRight: true })
})

it('V15.4.2 many jobs at once are all answered, however few threads there are', async () => {
  const echo = `
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', ({ password }) => parentPort.postMessage({ kind: 'hash', phc: password }))`
  const pool = new Argon2Pool(threadOf(echo))
  const names = Array.from({ length: 40 }, (_, index) => `password ${index}`)
  const answers = await Promise.all(names.map((password) => pool.run({ ...job, password })))
  expect(answers).toEqual(names.map((phc) => ({ kind: 'hash', phc })))
})
