import { z } from 'zod'
import type { Exchange } from '../../route/index.ts'
import type { From } from '../parts.ts'
import type { SignedIn } from '../sign-in.ts'

/** What a password field of a body takes; the policy has the last word on new ones. */
export const PasswordText = z.string().min(1).max(1024)
/** What an address field of a body takes. */
export const EmailText = z.string().min(1).max(254)
/** What a token field of a body takes. */
export const TokenText = z.string().min(1).max(512)

/** Reply to whoever has proved who they are. With cookies there are no tokens in it. */
export const Tokens = z.strictObject({
  status: z.literal('authenticated'),
  accessToken: z.string().max(4096).optional(),
  tokenType: z.literal('Bearer').optional(),
  expiresIn: z.int(),
  refreshToken: z.string().max(512).optional(),
})

// A browser keeps a cookie for at most 400 days (RFC 6265bis §5.5); half a year is what a device is remembered.
const deviceSeconds = 180 * 86_400

/** Where a request comes from, read off the exchange. */
export function fromOf(exchange: Exchange, requestId: string): From {
  return {
    address: exchange.clientAddress,
    userAgent: exchange.userAgent,
    device: exchange.cookie('__Host-device'),
    requestId,
    route: exchange.route,
  }
}

/** The reply with the tokens, or with the cookies that hold them. @see OWASP ASVS 5.0 §3.3.4, §10.1.1 */
export function replyWith(exchange: Exchange, signedIn: SignedIn): z.input<typeof Tokens> {
  const { accessToken, refreshToken, expiresInSeconds, refreshSeconds, transport, device } = signedIn
  if (transport === 'bearer') {
    return {
      status: 'authenticated',
      accessToken,
      tokenType: 'Bearer',
      expiresIn: expiresInSeconds,
      refreshToken,
    }
  }
  exchange.setCookie({ name: 'access', value: accessToken, maxAgeSeconds: expiresInSeconds })
  exchange.setCookie({ name: 'refresh', value: refreshToken, maxAgeSeconds: refreshSeconds })
  if (device !== undefined)
    exchange.setCookie({ name: 'device', value: device, maxAgeSeconds: deviceSeconds })
  return { status: 'authenticated', expiresIn: expiresInSeconds }
}

/**
 * Takes the tokens out of the browser. The device stays known: otherwise strangers who guess could keep its owner out
 * after each logout, and each login would be told of as one on a new device.
 */
export function forget(exchange: Exchange): void {
  for (const name of ['access', 'refresh'] as const)
    if (exchange.cookie(`__Host-${name}`) !== undefined)
      exchange.setCookie({ name, value: '', maxAgeSeconds: 0 })
}
