import { expect, it } from 'vitest'
import { emitMany, trailWorld } from '../../test/kit/audit.ts'
import { type TrailReader, trailReader } from '../audit/index.ts'
import { perform } from './events-actions.ts'

it('V16.2.1 tail shows once what comes while the newest are read, and nothing of others', async () => {
  const world = await trailWorld('sqlite')
  const trail = world.open()
  await emitMany(trail, 2)
  const reader = trailReader(world.db, world.keys, trail)
  const meanwhile: TrailReader = {
    ...reader,
    async latest(filter, count) {
      await emitMany(trail, 1, 'ann')
      const found = await reader.latest(filter, count)
      await emitMany(trail, 1, 'ann')
      await emitMany(trail, 1, 'bob')
      return found
    },
  }
  const lines: string[] = []
  const terminal = {
    out: (text: string): void => void lines.push(text),
    err: () => undefined,
    emphasise: (text: string) => text,
  }
  const job = { action: 'tail', filter: { userId: 'ann' }, isFollowing: true } as const
  const ended = perform(meanwhile, job, { terminal, isJson: false })
  await expect.poll(() => lines.length, { timeout: 20_000 }).toBe(4)
  await emitMany(trail, 1, 'ann')
  await expect.poll(() => lines.length, { timeout: 20_000 }).toBe(5)
  process.emit('SIGINT')
  expect(await ended).toBe(0)
  expect(new Set(lines.map((line) => line.slice(0, 19))).size).toBeGreaterThan(0)
  expect(lines.every((line) => line.includes('user ann'))).toBe(true)
  expect(lines.map((line) => /"attempt":(\d)/.exec(line)?.[1])).toEqual(['1', '2', '1', '1', '1'])
  await trail.close()
  await world.drop()
})
