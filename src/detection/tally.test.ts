import { describe, expect, it } from 'vitest'
import { DistinctValues, hasherOf, SignalSlices } from './counts.ts'
import { detectors } from './detectors.ts'
import type { Signal } from './signal.ts'
import { Tally } from './tally.ts'

const hash = hasherOf(new Uint8Array(16).fill(7))
const signal = (what: string, atMs = 0): Signal => ({
  name: 'path-missed',
  atMs,
  address: '203.0.113.9',
  account: null,
  session: null,
  route: null,
  what,
})

describe('a tally', () => {
  it('V15.2.2 remembers so many values of all subjects together, and so many subjects', () => {
    const detector = detectors.find(({ name }) => name === 'forced-browsing')
    expect(detector).toBeDefined()
    if (detector === undefined) return
    const tally = new Tally(detector, { subjectCount: 50, valueCount: 1_000 }, hash)
    for (let subject = 0; subject < 200; subject++)
      for (let value = 0; value < 120; value++) tally.add(`subject-${subject}`, signal(`/${value}`))
    expect(tally.valueCount).toBeLessThanOrEqual(1_000)
    expect(tally.subjectCount).toBeLessThanOrEqual(50)
    expect(tally.find('subject-199')?.count.at(0)).toBe(120)
    expect(tally.find('subject-0')).toBeUndefined()
  })
})

describe('counts', () => {
  it('V16.3.3 of signals slide with the window', () => {
    const slices = new SignalSlices(12_000)
    for (let atMs = 0; atMs < 6_000; atMs += 100) slices.add(0, atMs)
    expect(slices.at(6_000)).toBe(60)
    expect(slices.at(12_000)).toBe(50)
    expect(slices.at(17_500)).toBe(0)
    // A clock that goes back neither throws nor forgets.
    slices.add(0, 30_000)
    slices.add(0, 1_000)
    expect(slices.at(30_000)).toBe(2)
  })

  it('V16.3.3 of different values forget the oldest, by time and by number', () => {
    const values = new DistinctValues(1_000, 3)
    values.add(1, 0)
    values.add(2, 500)
    values.add(1, 600)
    expect(values.at(600)).toBe(2)
    expect(values.at(1_550)).toBe(1)
    for (const value of [3, 4, 5, 6]) values.add(value, 700)
    expect(values.at(700)).toBe(3)
  })

  it('V15.2.2 tell a hundred thousand texts apart, differently in each process', () => {
    const texts = Array.from({ length: 100_000 }, (_, index) => `/api/notes/${index}`)
    expect(new Set(texts.map(hash)).size).toBe(texts.length)
    const other = hasherOf(new Uint8Array(16).fill(8))
    expect(texts.filter((text) => hash(text) === other(text))).toEqual([])
    expect(texts.map(hash).every(Number.isSafeInteger)).toBe(true)
  })
})
