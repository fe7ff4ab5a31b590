/**
 * Several texts as one message, each with its length in front: no two lists of texts give the same bytes.
 *
 * @example mac(key, inOneMessage('holdfast/token/v1', userId, sessionId))
 */
export function inOneMessage(...parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )
}
