import { expect, it } from 'vitest'
import type { CountDelta } from '../limits/index.ts'
import { SharedBook } from './shared-book.ts'

const windowMs = 60_000
const signals = (amountCount: number, subject = 'a'): CountDelta => ({
  ...{ kind: 'signals', series: 'brute-force', subject, windowMs, amountCount },
})
const values = (...seen: readonly string[]): CountDelta => ({
  ...{ kind: 'different', series: 'scan', subject: 'a', windowMs, values: seen, mostCount: 4 },
})

it('V15.4.2 counts what all have seen, within the window', () => {
  const book = new SharedBook()
  expect(book.add([signals(3), signals(1, 'b'), values('x', 'y')], 0)).toEqual([3, 1, 2])
  expect(book.add([values('y', 'z'), signals(4)], 30_000)).toEqual([3, 7])
  expect(book.add([signals(0), values()], 89_000)).toEqual([4, 2])
  expect(book.add([signals(0), values()], 200_000)).toEqual([0, 0])
  expect(book.add([values('1', '2', '3', '4', '5', '6')], 200_000)).toEqual([4])
})

it('V15.4.2 gives what one may tell to the first, until its time is over', () => {
  const book = new SharedBook()
  const claim = { series: 'scan/0', subject: 'a', forMs: 1_000 }
  expect([book.claim(claim, 0), book.claim(claim, 999), book.claim({ ...claim, subject: 'b' }, 0)]).toEqual([
    ...[true, false, true],
  ])
  expect([book.claim(claim, 1_000), book.claim(claim, 1_001)]).toEqual([true, false])
})

it('V15.2.2 has an end, whatever is sent', () => {
  const book = new SharedBook({ subjectCount: 10, valueCount: 12, claimCount: 10 })
  for (let index = 0; index < 1_000; index++) book.add([signals(1, `s${index}`)], 0)
  expect(book.add([signals(0, 's999'), signals(0, 's500')], 0)).toEqual([1, 0])
  for (let index = 0; index < 20; index++) book.claim({ series: 's', subject: `${index}`, forMs: 1_000 }, 0)
  expect(book.claim({ series: 's', subject: '19', forMs: 1_000 }, 0)).toBe(false)
  expect(book.claim({ series: 's', subject: '0', forMs: 1_000 }, 0)).toBe(true)
})
