import { describe, expect, it } from 'vitest'
import { Problem } from '../../errors/index.ts'
import { isRetryable } from '../retryable.ts'
import { connectProblemOf, problemOf } from './failure.ts'

const secret = 'Key (email)=(ann@example.org) on db.internal.example'

function failure(code: string, more: object = {}): Error {
  return Object.assign(new TypeError(secret), { code, detail: secret, ...more })
}

describe('a failure of PostgreSQL', () => {
  const meanings: [string, string, readonly string[]][] = [
    ['a conflict', 'CONFLICT', ['23505', '23503', '23502', '23514', '23P01', '23000']],
    [
      'a value that does not fit',
      'VALIDATION_FAILED',
      ['22001', '22003', '22P02', '22P05', '22021', '22007', '22008'],
    ],
    ['a row that is not the caller’s', 'NOT_FOUND', ['42501']],
    [
      'a database that cannot answer now',
      'UNAVAILABLE',
      ['40001', '40P01', '55P03', '57014', '57P01', '57P02', '57P03', '53300', '53100', '53200', '25P03'],
    ],
    [
      'a lost connection',
      'UNAVAILABLE',
      ['08006', '08003', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'],
    ],
    ['a name that is not found', 'UNAVAILABLE', ['ENOTFOUND', 'EAI_AGAIN', 'ENOENT']],
    [
      'a certificate that is not trusted',
      'UNAVAILABLE',
      ['DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_HAS_EXPIRED'],
    ],
    ['a server that only reads', 'UNAVAILABLE', ['25006']],
    ['a bug of ours', 'INTERNAL', ['42601', '42P01', '42703', '0A000', '22012', '22023', 'XX000', '']],
  ]
  for (const [name, expected, codes] of meanings) {
    for (const code of codes) {
      it(`V16.5.1 ${code} is ${name}`, () => {
        const problem = problemOf(failure(code))
        expect(problem.code).toBe(expected)
        expect(problem.message).not.toContain('example')
        expect(problem.headers).toEqual(expected === 'UNAVAILABLE' ? { 'retry-after': '1' } : {})
        expect(problem.cause).toBeInstanceOf(TypeError)
      })
    }
  }

  it('passes a problem through', () => {
    const problem = new Problem('FORBIDDEN', 'here')
    expect(problemOf(problem)).toBe(problem)
    expect(connectProblemOf(problem)).toBe(problem)
  })

  it('is a reason to try the transaction again when it gave way to another', () => {
    for (const code of ['40001', '40P01']) {
      expect(isRetryable(problemOf(failure(code)))).toBe(true)
      expect(isRetryable(failure(code))).toBe(true)
    }
    for (const code of ['23505', '57014', '55P03', 'ECONNRESET', '08006'])
      expect(isRetryable(problemOf(failure(code)))).toBe(false)
    expect(isRetryable(undefined)).toBe(false)
  })

  it('tells a stale plan from what is not offered', () => {
    expect(problemOf(failure('0A000', { routine: 'RevalidateCachedQuery' })).code).toBe('UNAVAILABLE')
    expect(problemOf(failure('26000')).code).toBe('UNAVAILABLE')
  })
})

describe('V16.5.2 a session that is refused', () => {
  for (const code of ['28P01', '28000', '3D000', '22023', '42501', '53300', 'ECONNREFUSED', '', 'XX000']) {
    it(`is no fault of the request: ${code}`, () => {
      const problem = connectProblemOf(failure(code))
      expect(problem).toMatchObject({ code: 'UNAVAILABLE', headers: { 'retry-after': '1' } })
      expect(problem.message).not.toContain('example')
    })
  }
})

it('V16.2.5 forgets the values that PostgreSQL names beside its message', () => {
  const error = Object.assign(new Error('duplicate key'), {
    code: '23505',
    detail: 'Key (email)=(ada@example.com) already exists.',
    where: 'SQL statement "insert … ada@example.com"',
  })
  expect(JSON.stringify({ ...Object(problemOf(error).cause) })).not.toContain('ada@')
})
