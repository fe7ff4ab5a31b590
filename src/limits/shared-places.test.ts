import { expect, it } from 'vitest'
import { TestMemory } from '../../test/kit/shared-memory.ts'
import { SharedPlaces } from './shared-places.ts'

it('V2.4.1 V15.4.1 counts what is under way in all threads together', () => {
  const memory = new TestMemory()
  const one = new SharedPlaces('export', memory.thread(0))
  const other = new SharedPlaces('export', memory.thread(1))
  expect([one.enter('account:ann', 2), other.enter('account:ann', 2)]).toEqual([true, true])
  expect([one.enter('account:ann', 2), other.enter('account:ann', 2)]).toEqual([false, false])
  expect(other.enter('account:bob', 2)).toBe(true)
  one.leave('account:ann')
  expect(other.enter('account:ann', 2)).toBe(true)
  expect(one.enter('account:ann', 2)).toBe(false)
})

it('V16.5.3 gives back what a thread held that has died, and nothing of the others', () => {
  const memory = new TestMemory()
  const dying = memory.thread(0)
  const one = new SharedPlaces('export', dying)
  const other = new SharedPlaces('export', memory.thread(1))
  for (let count = 0; count < 3; count++) one.enter('account:ann', 4)
  other.enter('account:ann', 4)
  expect(other.enter('account:ann', 4)).toBe(false)
  memory.kill(dying)
  const next = new SharedPlaces('export', memory.thread(0))
  for (let count = 0; count < 3; count++) expect(next.enter('account:ann', 4)).toBe(true)
  expect(next.enter('account:ann', 4)).toBe(false)
})

it('V16.5.3 refuses to give back what nobody has taken', () => {
  const places = new SharedPlaces('export', new TestMemory().thread())
  expect(() => places.leave('account:ann')).toThrow('whoever leaves has entered')
})

it('V15.2.2 forgets keys of which nothing is under way, and refuses when there is no room', () => {
  const memory = new TestMemory()
  const places = new SharedPlaces('export', memory.thread())
  let enteredCount = 0
  for (let index = 0; index < 200_000; index++) if (places.enter(`account:${index}`, 1)) enteredCount++
  expect(enteredCount).toBe(65_536)
  for (let index = 0; index < 200_000; index++)
    try {
      places.leave(`account:${index}`)
    } catch {
      // One of those that had no room.
    }
  expect(memory.words('places ').every((word) => word === 0)).toBe(true)
})
