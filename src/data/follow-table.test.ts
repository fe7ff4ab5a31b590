import { describe, expect, it } from 'vitest'
import { type FollowedRow, followTable } from './follow-table.ts'

interface Row extends FollowedRow {
  readonly says: string
}

const old: Row = { id: 'a', changedAt: '2026-01-01T00:00:00.000Z', says: 'old' }

describe('a table that is followed', () => {
  it('V16.5.3 does not put a row back that was committed here while the table was read', async () => {
    const known = new Map<string, string>()
    let answer = (_rows: readonly Row[]): void => undefined
    const follower = await followTable<Row>({
      table: {
        readActive: async () => [old],
        readChanges: () => new Promise((resolve) => (answer = resolve)),
      },
      index: { put: ({ id, says }) => void known.set(id, says), sweep: () => undefined },
      everyMs: 3_600_000,
      nowMs: () => Date.parse(old.changedAt),
    })
    expect(known.get('a')).toBe('old')
    const reading = follower.read()
    const noted = follower.note({ ...old, says: 'new' })
    answer([old])
    await Promise.all([reading, noted])
    expect(known.get('a')).toBe('new')
    await follower.close()
  })
})
