// A String of RFC 9651 §3.3.3: printable ASCII in quotes, `"` and `\` escaped.
const pattern = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255}"$/

/**
 * The key of an `Idempotency-Key` field; `null` for anything that is not exactly one quoted text of 1 to 255
 * characters.
 *
 * @see draft-ietf-httpapi-idempotency-key-header-07 §2.1; RFC 9651 §3.3.3
 * @example parseIdempotencyKey('"8e03978e-40d5-43e8-bc93-6894a57f9324"')
 */
export function parseIdempotencyKey(field: string): string | null {
  return pattern.test(field) ? field.slice(1, -1).replaceAll(/\\(["\\])/g, '$1') : null
}
