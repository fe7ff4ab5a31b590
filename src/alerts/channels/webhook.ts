import type { Secret } from '../../base/index.ts'
import { mac } from '../../crypto/index.ts'
import { type AlertChannel, type AlertMessage, allNews } from './channel.ts'
import { type Post, postJson, requireSafeUrl } from './post.ts'

/** Where alerts are posted as JSON. */
export interface WebhookTarget {
  readonly url: Secret
  /** Signs what is posted: 24 to 64 random bytes. */
  readonly secret: Secret<Buffer>
}

/**
 * A webhook that is signed as Standard Webhooks says. The id stays the same at each attempt, the time does not.
 *
 * @throws AlertFault for an address that is neither https nor this machine
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function webhookChannel({ url, secret }: WebhookTarget): AlertChannel {
  requireSafeUrl(url)
  return {
    name: 'webhook',
    news: allNews,
    send: (message, signal) => postJson(url, webhookPost(message, secret), signal),
  }
}

/** What is posted. The JSON holds everything as it is known; escaping it is up to whoever shows it. */
export function webhookPost({ id, news, alert, nowMs }: AlertMessage, secret: Secret<Buffer>): Post {
  const timestamp = String(Math.floor(nowMs / 1000))
  const body = JSON.stringify({
    type: `alert.${news}`,
    timestamp: new Date(nowMs).toISOString(),
    data: alert,
  })
  return {
    headers: {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatureOf({ id, timestamp, body }, secret),
    },
    body,
  }
}

/**
 * The signature of a message.
 *
 * @param message `timestamp` in seconds since 1970. Neither it nor an id has a full stop in it, so no two messages are
 *   signed alike.
 */
export function signatureOf(
  { id, timestamp, body }: { readonly id: string; readonly timestamp: string; readonly body: string },
  secret: Secret<Buffer>,
): string {
  return `v1,${mac(secret, `${id}.${timestamp}.${body}`).toString('base64')}`
}
