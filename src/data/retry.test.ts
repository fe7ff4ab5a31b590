import { describe, expect, it } from 'vitest'
import { freshDatabase } from '../../test/kit/databases.ts'
import { Problem } from '../errors/index.ts'
import { withRetries } from './retry.ts'
import { isRetryable } from './retryable.ts'

const givenWay = () => Object.assign(new Error('serialization'), { code: '40001' })

describe('a transaction that had to give way', () => {
  it('V15.4.2 is run again, a few times', async () => {
    let count = 0
    const answer = await withRetries(async () => {
      count += 1
      if (count < 3) throw new Problem('UNAVAILABLE', 'given way', { cause: givenWay() })
      return 'done'
    })
    expect([answer, count]).toEqual(['done', 3])
  })

  it('is given up after five times, with what the last one said', async () => {
    let count = 0
    const run = withRetries(async () => {
      count += 1
      throw givenWay()
    })
    await expect(run).rejects.toMatchObject({ code: '40001' })
    expect(count).toBe(5)
  })

  it('is not run again for anything else', async () => {
    let count = 0
    const run = withRetries(async () => {
      count += 1
      throw new Problem('CONFLICT', 'taken', { cause: Object.assign(new Error('x'), { code: '23505' }) })
    })
    await expect(run).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(count).toBe(1)
  })

  it('is known by its code, and a changed table by its place', () => {
    expect(isRetryable(Object.assign(new Error('x'), { code: '40P01' }))).toBe(true)
    expect(isRetryable(Object.assign(new Error('x'), { code: '0A000' }))).toBe(false)
    expect(
      isRetryable(Object.assign(new Error('x'), { code: '0A000', routine: 'RevalidateCachedQuery' })),
    ).toBe(true)
    expect(isRetryable(null)).toBe(false)
  })
})

it('V2.3.4 a dozen transactions that read and then write the same row lose none of their changes', async () => {
  const { database, drop } = await freshDatabase('postgres')
  const { db } = database
  await db.schema
    .createTable('counters')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('n', 'integer', (column) => column.notNull())
    .execute()
  await db.insertInto('counters').values({ id: 'c', n: 0 }).execute()
  const addOne = () =>
    withRetries(() =>
      db
        .transaction()
        .setIsolationLevel('serializable')
        .execute(async (trx) => {
          const { n } = await trx.selectFrom('counters').select('n').executeTakeFirstOrThrow()
          await trx
            .updateTable('counters')
            .set({ n: Number(n) + 1 })
            .execute()
        }),
    )
  const ended = await Promise.allSettled(Array.from({ length: 12 }, addOne))
  const done = ended.filter(({ status }) => status === 'fulfilled').length
  expect(done).toBeGreaterThan(1)
  expect(await db.selectFrom('counters').select('n').execute()).toEqual([{ n: done }])
  await drop()
})
