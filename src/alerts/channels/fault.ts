/** An attempt that has failed, in fixed words: nothing of the receiver's answer, of the address or of a secret. */
export class DeliveryFault extends Error {
  /** How long the receiver wants to be left alone, in milliseconds. */
  readonly retryAfterMs: number

  constructor(message: string, retryAfterMs = 0) {
    super(message)
    this.name = 'DeliveryFault'
    this.retryAfterMs = retryAfterMs
  }
}

const wordsOfCode: Readonly<Record<string, string>> = {
  ABORT_ERR: 'the receiver did not answer in time',
  ETIMEDOUT: 'the receiver did not answer in time',
  ECONNREFUSED: 'the receiver refused the connection',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  ENOTFOUND: 'the name of the receiver is not known',
  EAI_AGAIN: 'the name of the receiver could not be looked up',
  EHOSTUNREACH: 'the receiver cannot be reached',
  ENETUNREACH: 'the receiver cannot be reached',
  EMSGSIZE: 'the message is too long for the network',
}

const certificateCode =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA)/
const tlsCode = /^(ERR_SSL_|ERR_TLS_|EPROTO)/

/**
 * Why an attempt has failed, as it may stand in a table and in a log. The messages of Node's errors name hosts and
 * sometimes more; their codes do not.
 *
 * @see OWASP ASVS 5.0 §16.2.5
 */
export function faultOf(error: unknown): DeliveryFault {
  if (error instanceof DeliveryFault) return error
  const code = error instanceof Error ? String(Reflect.get(error, 'code')) : ''
  const known = wordsOfCode[code]
  if (known !== undefined) return new DeliveryFault(known)
  if (certificateCode.test(code)) return new DeliveryFault('the certificate of the receiver is not trusted')
  if (tlsCode.test(code)) return new DeliveryFault('the receiver does not speak TLS 1.2 or later')
  return new DeliveryFault(
    /^E[A-Z0-9_]{2,40}$/.test(code) ? `the attempt failed (${code})` : 'the attempt failed',
  )
}
