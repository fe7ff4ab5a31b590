import { describe, expect, it } from 'vitest'
import { examineVocabulary } from '../route/index.ts'
import { per, type Window } from './per.ts'

const windows: [Window, number][] = [
  ['second', 1],
  ['minute', 60],
  ['15 minutes', 900],
  ['hour', 3_600],
  ['day', 86_400],
]

describe('per', () => {
  it.each(windows)('per %s is a window of %i seconds', (window, windowSeconds) => {
    expect(per(window, 5)).toEqual({ count: 5, windowSeconds })
  })

  it.each([0, -1, 2.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'V2.4.1 a count of %s does not boot',
    (count) => {
      const limits = { read: per('minute', count) }
      expect(examineVocabulary({ resources: [], roles: [], limits })).toMatchObject([
        { rule: 'limit.invalid' },
      ])
    },
  )
})
