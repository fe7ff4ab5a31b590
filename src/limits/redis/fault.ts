/** Why Redis did not decide. `code` is what the system or the server calls it: `ECONNREFUSED`, `READONLY`, `TIMEOUT`. */
export class RedisFault extends Error {
  readonly code: string

  constructor(message: string, code: string) {
    super(message)
    this.name = 'RedisFault'
    this.code = code
  }
}

/** Redis did not answer in time. */
export function timeoutFault(timeoutMs: number): RedisFault {
  return new RedisFault(`Redis did not answer within ${timeoutMs} ms.`, 'TIMEOUT')
}

/** The script found something under a name of ours that it did not write. It says nothing about the server. */
export const foreignStateCode = 'HFSTATE'

/** A system or TLS code, or the first word of an error reply. */
const codePattern = /^[A-Z][A-Z0-9_]{1,63}$/

/**
 * The fault behind an error of the client. Only its code is kept, neither its text nor the error itself: an old server
 * that does not know a command answers with its arguments, and the arguments of AUTH are a password (ASVS 16.2.5).
 */
export function faultOf(error: unknown): RedisFault {
  if (error instanceof RedisFault) return error
  if (!(error instanceof Error)) return new RedisFault('The connection to Redis was lost.', 'LOST')
  const code = 'code' in error ? String(error.code) : ''
  if (codePattern.test(code)) return new RedisFault(`Redis cannot be reached (${code}).`, code)
  const word = error.message.split(' ', 1)[0] ?? ''
  return codePattern.test(word)
    ? new RedisFault(`Redis refused a command (${word}).`, word)
    : new RedisFault('The connection to Redis was lost.', 'LOST')
}
