let lastMs = 0
let sequence = 0

/**
 * A UUIDv7: 48 bits of Unix milliseconds, a 12-bit sequence within the millisecond, 62 random bits.
 *
 * Sorts by creation time within one process, so it makes a good primary key. It tells its creation time
 * and is no secret: never use it as a token (ASVS 11.5.1).
 *
 * @param nowMs Unix time in milliseconds.
 * @see RFC 9562 §5.7
 * @example newId() // '0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e4f'
 */
export function newId(nowMs: number = Date.now()): string {
  // A clock that steps back, or 4,096 ids in one millisecond, must not break the order.
  if (nowMs > lastMs) {
    lastMs = nowMs
    sequence = 0
  } else if (++sequence > 0xfff) {
    lastMs++
    sequence = 0
  }
  const bytes = Buffer.from(crypto.getRandomValues(new Uint8Array(16)).buffer)
  bytes.writeUIntBE(lastMs, 0, 6)
  bytes.writeUInt16BE(0x7000 | sequence, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
